-- Adds events to a user's feed, in order.
--
-- KEYS[1]  the feed, user:{id}:feed
-- ARGV[1]  about how many entries the feed may hold
-- ARGV[2]  the feed's life in seconds
-- ARGV[3…] the JSON of each event
-- Returns how many were added.

for i = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return #ARGV - 2
