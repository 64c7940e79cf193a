-- Confirms a list as exact, if it is still the one that the reader with this lease filled.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- KEYS[2]  what is known of it, {conversation:{id}:messages}:state
-- ARGV[1]  the epoch
-- ARGV[2]  the reader's lease token
-- ARGV[3]  the list's TTL in seconds
-- Returns 1 if it is confirmed now, else 0.

if redis.call('GET', KEYS[2]) ~= ARGV[1] .. ' ' .. ARGV[2] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[1] .. ' exact', 'EX', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
