
-- Checks which members have not expired.
--
-- KEYS[1]  the expiring set
-- ARGV[…]  members
-- Returns for each, in the same order, for how many milliseconds more it stays; 0
-- if it is no member.

local now = unix_ms()
local remaining = {}
for i, member in ipairs(ARGV) do
  local score = call('ZSCORE', KEYS[1], member)
  remaining[i] = math.min(score and math.max(0, tonumber(score) - now) or 0, 2 ^ 53)
end
return remaining
