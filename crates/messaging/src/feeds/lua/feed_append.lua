-- Adds events to a user's feed, in order and each once: an event of a conversation that is not newer
-- than the last one added is a repetition.
--
-- KEYS[1]  the feed, user:{id}:feed
-- KEYS[2]  the seq of the last event that was added of each conversation, {user:{id}:feed}:seqs
-- KEYS[3]  the user's open sockets, {user:{id}:feed}:sockets
-- KEYS[4]  the mark of held event streams, {user:{id}:feed}:held
-- ARGV[1]  about how many entries the feed may hold
-- ARGV[2]  the TTL of both in seconds
-- ARGV[3…] of each event: its conversation and its seq, or nothing for both if it is not durable, and
--          its JSON
-- Returns, if a proxy has readers, which (s: sockets, h: held streams), the id of the newest entry before,
-- and the id of each event, or nothing for one that was not added; else nothing.

local added = additions()
for i = 3, #ARGV, 3 do
  local conversation, seq = ARGV[i], tonumber(ARGV[i + 1])
  local last = seq and tonumber(redis.call('HGET', KEYS[2], conversation))
  if not last or seq > last then
    add(added, redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i + 2]))
    if seq then
      redis.call('HSET', KEYS[2], conversation, seq)
    end
  else
    add(added, '')
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return added
