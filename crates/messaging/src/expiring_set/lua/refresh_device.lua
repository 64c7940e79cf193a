
-- Adds a member, or refreshes its TTL, by a heartbeat of one device.
--
-- ARGV[4]  the member
-- ARGV[5]  the device's TTL in milliseconds
-- ARGV[6]  the key's TTL in milliseconds: longer, so that a member that has
--          expired is still there for the script that reaps it
-- ARGV[7]  the device

reap()
expire(ARGV[4], 0)
tidy(ARGV[5])
redis.call('ZADD', KEYS[3], now + ARGV[5], ARGV[7])
add(ARGV[4], last_expiry())
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return result()
