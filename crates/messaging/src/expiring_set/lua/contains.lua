-- Checks which members have not expired.
--
-- KEYS[1]  the expiring set
-- ARGV[…]  members
-- Returns 1 or 0 for each, in the same order.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local present = {}
for i, member in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], member)
  present[i] = score and tonumber(score) > now and 1 or 0
end
return present
