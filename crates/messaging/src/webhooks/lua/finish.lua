-- Removes an entry that a worker is done with.
--
-- KEYS[1]  the queue, a stream
-- ARGV[1]  the group
-- ARGV[2]  the entry's id

redis.pcall('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
