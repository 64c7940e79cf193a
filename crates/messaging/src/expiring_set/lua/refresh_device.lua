
-- Adds a member, or refreshes its TTL, by a heartbeat of one device.
--
-- ARGV[4]  the member
-- ARGV[5]  the device's TTL in milliseconds
-- ARGV[6]  the key's TTL in milliseconds: longer, so that a member that has
--          expired is still there for the script that reaps it
-- ARGV[7]  the device

local expiry = now + ARGV[5]
reap_before(ARGV[4])
tidy(ARGV[5])
call('ZADD', KEYS[5], expiry, ARGV[7])
redis.call('PEXPIREAT', KEYS[5], expiry)
local is_new = add(ARGV[4], expiry)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
call('SADD', KEYS[3], ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
see(ARGV[4])
if is_new then
  forget_unseen()
end
return result(expiry)
