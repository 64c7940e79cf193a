-- Finds out whether a cached list lacks a message: its writer is late or lost.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  the ordinal of a message that there is
-- Returns the ordinal of the list's last message if that is before it; else -1, also if there is no
-- list.

local newest = redis.call('LINDEX', KEYS[1], -1)
if not newest then
  return -1
end
local last = tonumber(string.match(newest, '^{"id":%d+,"conversationId":%d+,"ordinal":(%d+)')) or 0
return last < tonumber(ARGV[1]) and last or -1
