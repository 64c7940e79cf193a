-- Adds what is not durable, such as typing, to a conversation's stream, behind its newest event and
-- before the next.
--
-- KEYS[1]  the stream, conversation:{id}:stream
-- ARGV[1]  about how many entries the stream may hold
-- ARGV[2]  the stream's TTL in seconds
-- ARGV[3…] the JSON of each, in order
-- Returns how many were added.

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local seq, minor = '0', '0'
if newest then
  seq, minor = string.match(newest[1], '^(%d+)-(%d+)$')
end
for i = 3, #ARGV do
  local id = seq .. '-' .. string.format('%.0f', tonumber(minor) + i - 2)
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'event', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return #ARGV - 2
