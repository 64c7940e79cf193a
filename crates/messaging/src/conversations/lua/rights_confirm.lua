-- Confirms the cached rights of a conversation, if they are still those that the reader with this
-- lease filled, and caches the conversation.
--
-- KEYS[1]  the rights, {conversation:{id}}:rights
-- KEYS[2]  the conversation, conversation:{id}
-- ARGV[1]  the epoch
-- ARGV[2]  the reader's lease token
-- ARGV[3]  the rights' TTL in milliseconds
-- ARGV[4]  the conversation's TTL in seconds
-- ARGV[5]  the conversation's JSON
-- Returns 1 if they are confirmed now, else 0.

if redis.call('GET', KEYS[1]) ~= ARGV[1] .. ' ' .. ARGV[2] .. '\n' .. ARGV[5] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1] .. ' confirmed\n' .. ARGV[5], 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[5], 'EX', ARGV[4])
return 1
