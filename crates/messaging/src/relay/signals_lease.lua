-- Takes the lease on the signals. A value that stays for longer than a lease was written by another
-- program.
--
-- KEYS[1]  the lease, {…}:signals:lease
-- ARGV[1]  its TTL in milliseconds
-- Returns 1 if it was free, else 0.

local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left <= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
