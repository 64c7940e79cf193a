-- Takes or renews the lease of one open event stream of a user.
--
-- KEYS[1]  the leases, user:{id}:streams: the ids of streams, scored by when each lease expires, in
--          Unix ms
-- ARGV[1]  the stream's id
-- ARGV[2]  how long a lease is valid, in ms
-- ARGV[3]  how many streams may be open
-- ARGV[4]  how long a lease may be valid at the most, in ms
-- Returns 0, or if there are too many, the ms until a lease of another stream may expire.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ttl = tonumber(ARGV[2])

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
-- Written before the clock went back; who still holds it renews it.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now + tonumber(ARGV[4])), '+inf')

local held = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not held and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return math.max(first[2] and first[2] - now or ttl, 1)
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ttl), ARGV[1])
if redis.call('PTTL', KEYS[1]) < ttl then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return 0
