-- Adds what is not durable, such as typing, to a conversation's stream, behind
-- its newest event and before the next.
--
-- KEYS[1]  the stream, conversation:{id}:stream
-- ARGV[1]  about how many entries the stream may hold
-- ARGV[2]  the stream's life in seconds
-- ARGV[3…] the JSON of each, in order
-- Returns how many were added.

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local seq = newest and string.match(newest[1], '^%d+') or '0'
for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], seq .. '-*', 'event', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return #ARGV - 2
