-- Adds new messages to a cached list, if the list is exact but for them, and publishes an event. A
-- list that is not, or that was written under another epoch, is dropped.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- KEYS[2]  what is known of it, {conversation:{id}:messages}:state
-- KEYS[3]  its newest messages as one array, {conversation:{id}:messages}:page
-- ARGV[1]  the epoch
-- ARGV[2]  how many messages the list may hold
-- ARGV[3]  the list's TTL in seconds
-- ARGV[4]  the channel, or nothing if there is no event to publish
-- ARGV[5]  the event's JSON
-- ARGV[6…] the ordinal and the JSON of each message, oldest first
-- Returns 1 if the list ends with the last of them or a later one, 0 if there is no list any more.

if ARGV[4] ~= '' then
  redis.call('PUBLISH', ARGV[4], ARGV[5])
end
local state = redis.call('GET', KEYS[2])
if not state then
  redis.call('DEL', KEYS[1], KEYS[3])
  return 0
end
local newest = redis.call('LINDEX', KEYS[1], -1)
local exact = state == ARGV[1] .. ' exact'
local last = newest and tonumber(string.match(newest, '^{"id":%d+,"conversationId":%d+,"ordinal":(%d+)'))
local added = false
for i = 6, #ARGV, 2 do
  local ordinal = tonumber(ARGV[i])
  if not last or last < ordinal then
    -- Not exact: it was filled before this message. A gap: a message between is late or lost.
    if not exact or not last or last < ordinal - 1 then
      redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
      return 0
    end
    redis.call('RPUSH', KEYS[1], ARGV[i + 1])
    last = ordinal
    added = true
  end
end
if added then
  redis.call('DEL', KEYS[3])
  redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('EXPIRE', KEYS[2], ARGV[3])
end
return 1
