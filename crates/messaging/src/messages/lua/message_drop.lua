-- Drops a cached message that is older than an event, and keeps the version, so that a write that
-- was held up does not bring the old text back.
--
-- KEYS[1]  the message, message:{id}
-- KEYS[2]  its version, {message:{id}}:version
-- ARGV[1]  the epoch
-- ARGV[2]  the event's seq
-- ARGV[3]  the TTL in seconds
-- Returns 1 if it was dropped, else 0.

local known = redis.call('GET', KEYS[2])
if known then
  local epoch, version = string.match(known, '^(%S+) (%d+)$')
  if epoch == ARGV[1] and tonumber(version) >= tonumber(ARGV[2]) then
    return 0
  end
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[3])
return 1
