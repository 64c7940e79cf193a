-- Takes some fields out of a hash.
--
-- KEYS[1]  the backlog of a proxy
-- ARGV[1]  about how many fields
-- Returns fields and values.

local found = redis.call('HSCAN', KEYS[1], 0, 'COUNT', ARGV[1])[2]
for i = 1, #found, 2 do
  redis.call('HDEL', KEYS[1], found[i])
end
return found
