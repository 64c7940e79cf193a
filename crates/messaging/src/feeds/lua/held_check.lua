-- Lets the leases of a user's held event streams expire soon: those that are open renew theirs when they
-- are asked.
--
-- KEYS[1]  the leases, user:{id}:streams: those of held streams begin with h
-- ARGV[1]  how long a lease stays valid without an answer, in ms
-- Returns how many may expire before they would have.

local time = redis.call('TIME')
local soon = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[1])
local later = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', soon), '+inf')
local asked = 0
for _, stream in ipairs(later) do
  if string.sub(stream, 1, 1) == 'h' then
    redis.call('ZADD', KEYS[1], string.format('%.0f', soon), stream)
    asked = asked + 1
  end
end
return asked
