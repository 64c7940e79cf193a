-- Sets a cached message, unless a newer version of it is there: a write that was held up must not
-- bring an old text back.
--
-- KEYS[1]  the message, message:{id}
-- KEYS[2]  its version, {message:{id}}:version
-- ARGV[1]  the epoch
-- ARGV[2]  the version: the seq of the newest event that the JSON can show
-- ARGV[3]  the TTL in seconds
-- ARGV[4]  the message's JSON
-- Returns 1 if it was set, else 0.

local known = redis.call('GET', KEYS[2])
if known then
  local epoch, version = string.match(known, '^(%S+) (%d+)$')
  if epoch == ARGV[1] and tonumber(version) > tonumber(ARGV[2]) then
    return 0
  end
end
redis.call('SET', KEYS[1], ARGV[4], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'EX', ARGV[3])
return 1
