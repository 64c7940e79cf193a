-- Confirms a list that was filled, if it still is as it was filled.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  the JSON of the newest message that it was filled with
-- ARGV[2]  the list's life in seconds
-- Returns 1 if it is confirmed now, else 0.

if redis.call('LINDEX', KEYS[1], -1) ~= ' ' .. ARGV[1] then
  return 0
end
redis.call('LSET', KEYS[1], -1, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
