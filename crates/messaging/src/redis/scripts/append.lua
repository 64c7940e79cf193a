-- Adds the newest message to a cached list, if the list is there and exact, and
-- publishes its event.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  the message's ordinal
-- ARGV[2]  the message's JSON
-- ARGV[3]  how many messages the list may hold
-- ARGV[4]  the list's life in seconds
-- ARGV[5]  the channel, if the event is to be published
-- ARGV[6]  the event's JSON
-- Returns 1 if the list ends with this message or a later one, 0 if there is
-- no list any more.

if ARGV[5] then
  redis.call('PUBLISH', ARGV[5], ARGV[6])
end
local newest = redis.call('LINDEX', KEYS[1], -1)
if not newest then
  return 0
end
-- A list that is not confirmed yet has a blank there.
local mark, last = string.match(newest, '^( ?){"id":%d+,"conversationId":%d+,"ordinal":(%d+)')
local mine = tonumber(ARGV[1])
if last and tonumber(last) >= mine then
  return 1
end
if mark ~= '' or tonumber(last) < mine - 1 then
  -- The list was filled before this message, or lacks one between whose writer
  -- is late or lost.
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
