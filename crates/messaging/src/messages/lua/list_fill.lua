-- Fills a cached list, if it is absent, for a short life and marked as not yet
-- confirmed: the newest message stands behind a blank, which JSON allows and no
-- confirmed list has.
--
-- KEYS[1]  the list, conversation:{id}:messages
-- ARGV[1]  the short life in milliseconds
-- ARGV[2…] the messages' JSON, oldest first
-- Returns 1 if this call filled it, else 0.

if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
for i = 2, #ARGV do
  redis.call('RPUSH', KEYS[1], (i == #ARGV and ' ' or '') .. ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
