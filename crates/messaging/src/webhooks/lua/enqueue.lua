-- Adds receivers to the queue, each once as long as no worker has taken it, and wakes the workers.
--
-- KEYS[1]  the queue, a stream: messaging:webhooks
-- KEYS[2]  the receivers in it that no worker has taken, a set
-- ARGV[1]  the workers' channel; empty wakes none
-- ARGV[2…] the receivers

for at = 2, #ARGV do
  if redis.call('SADD', KEYS[2], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[1], '*', 'webhook', ARGV[at])
  end
end
if ARGV[1] ~= '' then
  redis.call('PUBLISH', ARGV[1], '')
end
return 1
