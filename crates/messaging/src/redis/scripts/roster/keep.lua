
-- Keeps a member for a life from now on.
--
-- ARGV[4]  the member
-- ARGV[5]  the member's life in milliseconds
-- ARGV[6]  the roster's life in milliseconds: longer, so that a member whose
--          life is over is still there for whoever notices

reap()
expire(ARGV[4], 0)
if redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[4]) == 1 then
  publish(ARGV[4], 1, ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return changes
