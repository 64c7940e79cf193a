
-- Removes a member now.
--
-- ARGV[4]  the member

reap()
remove(ARGV[4])
return result()
