
-- Adds a member to the plain set that shows an expiring set for dashboards,
-- and refreshes its TTL.
--
-- KEYS[1]  the set
-- ARGV[1]  the member
-- ARGV[2]  the set's TTL in milliseconds
-- Returns 1 if the member is new, else 0.

local new = call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return new
