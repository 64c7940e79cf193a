-- Takes requests from a caller's rate: the generic cell rate algorithm (GCRA), a bucket that
-- refills evenly.
--
-- KEYS[1]  rate:…: when all that was asked for is paid off, in Unix µs
-- ARGV[1]  what one request costs, in µs
-- ARGV[2]  how many requests may be asked for at once
-- ARGV[3]  how many requests this one counts as, at most ARGV[2]
-- Returns {1, the requests left, the µs until all are} or, if it is refused,
-- {0, the µs until it may be asked for again, the µs until all may}.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each = tonumber(ARGV[1])
local most = each * tonumber(ARGV[2])

local function store(owed)
  redis.call('SET', KEYS[1], string.format('%.0f', now + owed), 'PX', math.ceil(owed / 1000))
end

local stored = tonumber(redis.call('GET', KEYS[1]) or 0) or 0
local ahead = math.max(stored - now, 0)
if ahead > most then
  -- The clock went back, or the limit was lowered: no caller owes more than the whole bucket.
  ahead = most
  store(ahead)
end

local owed = ahead + each * tonumber(ARGV[3])
if owed > most then
  return {0, owed - most, ahead}
end
store(owed)
return {1, math.floor((most - owed) / each), owed}
