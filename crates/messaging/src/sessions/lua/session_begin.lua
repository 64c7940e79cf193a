-- Begins a session.
--
-- KEYS[1]  the session, session:{hash}
-- ARGV[1]  whom it proves, as JSON
-- ARGV[2]  how long it may last at the most, in ms
-- ARGV[3]  how long it may go unused, in ms
-- Returns {when it began, when it ends at the latest}, in Unix ms.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most = tonumber(ARGV[2])
local idle = tonumber(ARGV[3])

local function number(value)
  return string.format('%.0f', value)
end

redis.call('HSET', KEYS[1], 'record', ARGV[1], 'created', number(now), 'seen', number(now),
  'expires', number(now + most), 'idle', number(idle))
redis.call('PEXPIRE', KEYS[1], number(math.min(idle, most)))
return {number(now), number(now + most)}
