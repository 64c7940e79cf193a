
-- Lists the members that have not expired.
--
-- KEYS[1]  the expiring set
-- Returns the members.

own(KEYS[1], 'zset')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
