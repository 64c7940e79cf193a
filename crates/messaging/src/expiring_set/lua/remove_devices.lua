
-- Removes all devices, and with them the member.
--
-- ARGV[4]  the member

reap()
redis.call('DEL', KEYS[5])
if remove(ARGV[4]) then
  see(ARGV[4])
end
return result()
