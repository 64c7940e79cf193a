-- Wakes the relay, once per burst.
--
-- KEYS[1]  the flag that a wake-up is on its way
-- ARGV[1]  the relay's channel
-- ARGV[2]  the flag's TTL in milliseconds: a wake-up that no relay received is
--          repeated by the next change after it
-- Returns 1 if it was sent, 0 if one was on its way.

if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then
  redis.call('PUBLISH', ARGV[1], '')
  return 1
end
return 0
