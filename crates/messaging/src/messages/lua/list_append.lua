-- Adds new messages to a cached list, if the list is there and exact, and
-- publishes an event.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  how many messages the list may hold
-- ARGV[2]  the list's life in seconds
-- ARGV[3]  the channel, or nothing if there is no event to publish
-- ARGV[4]  the event's JSON
-- ARGV[5…] the ordinal and the JSON of each message, oldest first
-- Returns 1 if the list ends with the last of them or a later one, 0 if there is
-- no list any more.

if ARGV[3] ~= '' then
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
local newest = redis.call('LINDEX', KEYS[1], -1)
if not newest then
  return 0
end
-- A list that is not confirmed yet has a blank there.
local mark, last = string.match(newest, '^( ?){"id":%d+,"conversationId":%d+,"ordinal":(%d+)')
last = tonumber(last)
local added = false
for i = 5, #ARGV, 2 do
  local ordinal = tonumber(ARGV[i])
  if not last or last < ordinal then
    if mark ~= '' or last < ordinal - 1 then
      -- The list was filled before this message, or lacks one between whose
      -- writer is late or lost.
      redis.call('DEL', KEYS[1])
      return 0
    end
    redis.call('RPUSH', KEYS[1], ARGV[i + 1])
    last = ordinal
    added = true
  end
end
if added then
  redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return 1
