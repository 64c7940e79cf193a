-- Adds what is not durable, such as presence, to a user's feed, if there is one: without a feed no
-- reader has been there for a day. Each once: a signal that is not newer than the last one added is a
-- repetition.
--
-- KEYS[1]  the feed, user:{id}:feed
-- KEYS[2]  what was added last, {user:{id}:feed}:seqs
-- KEYS[3]  the user's open sockets, {user:{id}:feed}:sockets
-- KEYS[4]  the mark of held event streams, {user:{id}:feed}:held
-- ARGV[1]  about how many entries the feed may hold
-- ARGV[2]  the signals' key, a field of KEYS[2] that no conversation has
-- ARGV[3…] of each signal its id, and its event
-- Returns, if a proxy has readers, which (s: sockets, h: held streams), the id of the newest entry before,
-- and the id of each event, or nothing for one that was not added; else nothing.

local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  return {}
end
local added = additions()
local last = parse(redis.call('HGET', KEYS[2], ARGV[2]))
for i = 3, #ARGV, 2 do
  local signal = parse(ARGV[i])
  if is_newer(signal, last) then
    add(added, redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i + 1]))
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[i])
    last = signal
  else
    add(added, '')
  end
end
if left > 0 and redis.call('PTTL', KEYS[2]) == -1 then
  redis.call('PEXPIRE', KEYS[2], left)
end
return added
