
-- Removes a device, and with the last one the member.
--
-- ARGV[4]  the member
-- ARGV[5]  a device's TTL in milliseconds
-- ARGV[6]  the device

reap()
tidy(ARGV[5])
redis.call('ZREM', KEYS[3], ARGV[6])
local expiry = last_expiry()
if expiry then
  redis.call('ZADD', KEYS[1], 'XX', expiry, ARGV[4])
else
  remove(ARGV[4])
end
return result()
