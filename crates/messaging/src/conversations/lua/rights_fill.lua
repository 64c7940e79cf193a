-- Fills the cached rights of a conversation, unless they are there under the same epoch, for a short
-- TTL and not yet confirmed.
--
-- KEYS[1]  the rights, {conversation:{id}}:rights
-- ARGV[1]  the epoch
-- ARGV[2]  the reader's lease token
-- ARGV[3]  the short TTL in milliseconds
-- ARGV[4]  the conversation's JSON
-- Returns 1 if this call filled them, else 0.

local value = redis.call('GET', KEYS[1])
if value and string.match(value, '^(%S+) ') == ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2] .. '\n' .. ARGV[4], 'PX', ARGV[3])
return 1
