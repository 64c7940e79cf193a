-- Drops a cached list that lacks a message: its writer was late or lost.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- KEYS[2]  what is known of it, {conversation:{id}:messages}:state
-- ARGV[1]  the ordinal of a message that there is
-- Returns 1 if the list was dropped, else 0.

local newest = redis.call('LINDEX', KEYS[1], -1)
if not newest then
  return 0
end
local last = tonumber(string.match(newest, '^{"id":%d+,"conversationId":%d+,"ordinal":(%d+)'))
if last and last >= tonumber(ARGV[1]) then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
