
-- Removes a device, and with the last one the member.
--
-- ARGV[4]  the member
-- ARGV[5]  a device's TTL in milliseconds
-- ARGV[6]  the device

reap()
call('ZREM', KEYS[5], ARGV[6])
local expiry = tidy(ARGV[5])
if expiry then
  redis.call('PEXPIREAT', KEYS[5], expiry)
  call('ZADD', KEYS[1], 'XX', expiry, ARGV[4])
elseif remove(ARGV[4]) then
  see(ARGV[4])
end
return result(expiry)
