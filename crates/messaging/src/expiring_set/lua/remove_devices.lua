
-- Removes all devices, and with them the member.
--
-- ARGV[4]  the member

reap()
redis.call('DEL', KEYS[3])
remove(ARGV[4])
return result()
