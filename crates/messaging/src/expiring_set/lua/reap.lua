
-- Removes the members that have expired.
--
-- ARGV[4]  a member whose marker is known to have expired, or nothing
-- ARGV[5]  how many milliseconds the marker may have expired before the member

reap()
if ARGV[4] ~= '' then
  expire(ARGV[4], tonumber(ARGV[5]))
end
return result()
