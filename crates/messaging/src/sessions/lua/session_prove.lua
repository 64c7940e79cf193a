-- Records that PostgreSQL knew of no end of a session. One that is gone stays gone.
--
-- KEYS[1]  the session, session:{hash}
-- ARGV[1]  the epoch
-- Returns 1 if the session is there, else 0.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'proof', ARGV[1] .. ' ' .. string.format('%.0f', now))
return 1
