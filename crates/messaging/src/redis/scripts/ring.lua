-- Rings the relay, once per burst.
--
-- KEYS[1]  the flag that a ring is on its way
-- ARGV[1]  the relay's channel
-- ARGV[2]  the flag's life in milliseconds: a ring that nobody heard is
--          repeated by the next change after it
-- Returns 1 if it rang, 0 if a ring was on its way.

if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then
  redis.call('PUBLISH', ARGV[1], '')
  return 1
end
return 0
