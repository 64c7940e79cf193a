
-- Lists the members that have not expired.
--
-- KEYS[1]  the expiring set
-- Returns the members.

return call('ZRANGEBYSCORE', KEYS[1], '(' .. unix_ms(), '+inf')
