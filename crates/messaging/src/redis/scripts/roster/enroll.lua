-- Adds a member to a plain set, and lets the set live on.
--
-- KEYS[1]  the set
-- ARGV[1]  the member
-- ARGV[2]  the set's life in milliseconds
-- Returns 1 if the member is new, else 0.

local new = redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return new
