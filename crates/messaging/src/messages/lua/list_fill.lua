-- Fills a cached list, unless one is there under the same epoch, for a short TTL and not yet
-- confirmed: its state is the lease of the reader that filled it.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- KEYS[2]  what is known of it, {conversation:{id}:messages}:state
-- KEYS[3]  its newest messages as one array, {conversation:{id}:messages}:page
-- ARGV[1]  the epoch
-- ARGV[2]  the reader's lease token
-- ARGV[3]  the short TTL in milliseconds
-- ARGV[4…] the messages' JSON, oldest first
-- Returns 1 if this call filled it, else 0.

local state = redis.call('GET', KEYS[2])
if state and string.match(state, '^%S+') == ARGV[1] and redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[3])
for i = 4, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
