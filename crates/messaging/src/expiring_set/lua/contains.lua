
-- Checks which members have not expired.
--
-- KEYS[1]  the expiring set
-- ARGV[…]  members
-- Returns for each, in the same order, for how many milliseconds more it stays; 0
-- if it is no member.

own(KEYS[1], 'zset')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local remaining = {}
for i, member in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], member)
  remaining[i] = math.min(score and math.max(0, tonumber(score) - now) or 0, 2 ^ 53)
end
return remaining
