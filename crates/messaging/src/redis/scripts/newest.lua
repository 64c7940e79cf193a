-- Reads the newest messages of a cached list, if the list is confirmed and
-- reaches far enough back.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  how many messages
-- ARGV[2]  the life in milliseconds of a list that is not yet confirmed
-- Returns the messages as one JSON array, oldest first; nil if there is no
-- such list.

if redis.call('PTTL', KEYS[1]) <= tonumber(ARGV[2]) then
  return false
end
local page = redis.call('LRANGE', KEYS[1], -tonumber(ARGV[1]), -1)
if #page < tonumber(ARGV[1]) and not string.find(page[1], '"ordinal":1,', 1, true) then
  return false
end
return '[' .. table.concat(page, ',') .. ']'
