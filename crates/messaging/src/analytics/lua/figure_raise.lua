-- Sets a count that only grows, unless a relay that counted later has set it.
--
-- KEYS[1]  the count, stats:messages:{yyyymmddhh}
-- ARGV[1]  the count
-- ARGV[2]  its TTL in milliseconds

local present = tonumber(redis.call('GET', KEYS[1]) or '')
if not present or present < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
