-- Finds the newest entry of a user's feed; a feed that is not there is begun
-- with a mark, so that a reader who comes back can tell a feed that lost its
-- entries from one in which nothing has happened.
--
-- KEYS[1]  the feed, user:{id}:feed
-- ARGV[1]  the mark
-- ARGV[2]  the feed's TTL in seconds
-- Returns the entry's id.

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if newest then
  return newest[1]
end
local mark = redis.call('XADD', KEYS[1], '*', 'event', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return mark
