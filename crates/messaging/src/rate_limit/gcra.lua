-- Takes one request from a caller's rate: the generic cell rate algorithm
-- (GCRA), a bucket that refills evenly.
--
-- KEYS[1]  rate:…: when all that was asked for is paid off, in Unix µs
-- ARGV[1]  what one request costs, in µs
-- ARGV[2]  how many requests may be asked for at once
-- Returns {1, the requests left, the µs until all are} or, if it is refused,
-- {0, the µs until the next may be asked for, the µs until all may}.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local most = cost * tonumber(ARGV[2])

local paid_off = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local owed = paid_off + cost - now
if owed > most then
  return {0, owed - most, paid_off - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', now + owed), 'PX', math.ceil(owed / 1000))
return {1, math.floor((most - owed) / cost), owed}
