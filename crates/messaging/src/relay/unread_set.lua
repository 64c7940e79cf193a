-- Sets an unread count, unless the relay's time is over: another one may have written a newer count.
--
-- KEYS[1]  the count, conversation:{id}:unread:{userId}
-- ARGV[1]  the count
-- ARGV[2]  until when it may be written, by the clock of Redis (Unix ms)
-- Returns 1 if it was set, else 0.

local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
