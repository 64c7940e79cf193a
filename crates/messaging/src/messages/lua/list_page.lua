-- Gives the newest messages of an exact list as one JSON array, and keeps it beside the list for the
-- next reader.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- KEYS[2]  what is known of it, {conversation:{id}:messages}:state
-- KEYS[3]  the array, {conversation:{id}:messages}:page
-- ARGV[1]  the epoch
-- ARGV[2]  how many messages
-- Returns the array behind the epoch and a line feed, as it is kept; nothing if the list is not exact,
-- or holds fewer of the conversation's messages than that.

if redis.call('GET', KEYS[2]) ~= ARGV[1] .. ' exact' then
  return false
end
local messages = redis.call('LRANGE', KEYS[1], -tonumber(ARGV[2]), -1)
local first = messages[1] and string.match(messages[1], '^{"id":%d+,"conversationId":%d+,"ordinal":(%d+)')
if not first or (#messages < tonumber(ARGV[2]) and first ~= '1') then
  return false
end
local page = ARGV[1] .. '\n[' .. table.concat(messages, ',') .. ']'
local ttl = math.min(redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2]))
if ttl > 0 then
  redis.call('SET', KEYS[3], page, 'PX', ttl)
end
return page
