-- Reads the newest messages of a cached list, if the list is confirmed.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  how many messages, at the most
-- ARGV[2]  the life in milliseconds of a list that is not yet confirmed
-- Returns the messages' JSON, oldest first; nothing if there is no such list.

if redis.call('PTTL', KEYS[1]) <= tonumber(ARGV[2]) then
  return {}
end
return redis.call('LRANGE', KEYS[1], -tonumber(ARGV[1]), -1)
