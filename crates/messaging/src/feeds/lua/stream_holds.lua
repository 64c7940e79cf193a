-- Whether a stream still holds an entry, without sending it.
--
-- KEYS[1]  the stream
-- ARGV[1]  the entry's id
-- Returns 1 if it does, else 0.

return #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
