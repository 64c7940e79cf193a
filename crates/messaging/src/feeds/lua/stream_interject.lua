-- Adds what is not durable, such as typing, to a conversation's stream, behind its newest event and
-- before the next. Each once: a signal that is not newer than the last one added is a repetition.
--
-- KEYS[1]  the stream, conversation:{id}:stream
-- KEYS[2]  the id of the last signal that was added, {conversation:{id}:stream}:signal
-- KEYS[3]  the mark of held event streams, {conversation:{id}:stream}:held
-- ARGV[1]  about how many entries the stream may hold
-- ARGV[2]  the TTL of both in seconds
-- ARGV[3…] of each signal its id, and its event
-- Returns, if a proxy may hold streams of the conversation, the ids of those that were added; else nothing.

local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local seq, minor = '0', '0'
if newest then
  seq, minor = string.match(newest[1], '^(%d+)-(%d+)$')
end
local added, ids = 0, {}
local last = parse(redis.call('GET', KEYS[2]))
for i = 3, #ARGV, 2 do
  local signal = parse(ARGV[i])
  if is_newer(signal, last) then
    added, last = added + 1, signal
    table.insert(ids, ARGV[i])
    local id = seq .. '-' .. string.format('%.0f', tonumber(minor) + added)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, 'event', ARGV[i + 1])
    redis.call('SET', KEYS[2], ARGV[i], 'EX', ARGV[2])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('EXISTS', KEYS[3]) == 1 and ids or {}
