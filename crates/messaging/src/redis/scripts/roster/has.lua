-- Tells which members' lives are not over.
--
-- KEYS[1]  the roster
-- ARGV[…]  members
-- Returns 1 or 0 for each, in the same order.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local there = {}
for i, member in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], member)
  there[i] = score and tonumber(score) > now and 1 or 0
end
return there
