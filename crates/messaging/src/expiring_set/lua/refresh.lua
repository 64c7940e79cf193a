
-- Adds a member, or refreshes its TTL.
--
-- ARGV[4]  the member
-- ARGV[5]  the member's TTL in milliseconds
-- ARGV[6]  the key's TTL in milliseconds: longer, so that a member that has
--          expired is still there for the script that reaps it

local expiry = now + ARGV[5]
reap_before(ARGV[4])
add(ARGV[4], expiry)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return result(expiry)
