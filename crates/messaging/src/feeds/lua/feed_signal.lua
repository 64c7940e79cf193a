-- Adds what is not durable, such as presence, to a user's feed, if there is one: without a feed no
-- reader has been there for a day.
--
-- KEYS[1]  the feed, user:{id}:feed
-- ARGV[1]  about how many entries the feed may hold
-- ARGV[2…] the JSON of each event
-- Returns how many were added.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
for i = 2, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i])
end
return #ARGV - 1
