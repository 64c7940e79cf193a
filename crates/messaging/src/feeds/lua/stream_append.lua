-- Adds a conversation's events to its stream. What is there already, from a
-- drain that was cut short, stays as it is.
--
-- KEYS[1]  the stream, conversation:{id}:stream
-- KEYS[2]  the mark of held event streams, {conversation:{id}:stream}:held
-- ARGV[1]  about how many entries the stream may hold
-- ARGV[2]  the stream's TTL in seconds
-- ARGV[3…] pairs, in order: the event's seq, the event's JSON
-- Returns whether a proxy may hold streams of the conversation.

for i = 3, #ARGV, 2 do
  local entry = redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], ARGV[i] .. '-0', 'event', ARGV[i + 1])
  if entry.err and not string.find(entry.err, 'equal or smaller') then
    return entry
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('EXISTS', KEYS[2])
