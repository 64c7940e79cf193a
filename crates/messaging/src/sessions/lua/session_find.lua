-- Finds a session and, if it is used, lets it go on for as long as it may go unused.
--
-- KEYS[1]  the session, session:{hash}
-- ARGV[1]  1 if it is used, 0 if it is only looked at
-- ARGV[2]  how much of the time for which it may go unused passes before that is written again
--          (0.01 is one percent)
-- ARGV[3]  how many ms pass at the most before it is written again
-- Returns {} if there is none, else {whom it proves, when it began, when it was last used, when it ends
-- at the latest, its proof or '', the time}; times in Unix ms.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'record', 'created', 'seen', 'expires', 'idle', 'proof')
local seen, expires, idle = tonumber(found[3]), tonumber(found[4]), tonumber(found[5])
if not (found[1] and found[2] and seen and expires and idle) then
  return {}
end
if now >= expires or now - seen > idle then
  redis.call('DEL', KEYS[1])
  return {}
end

if ARGV[1] == '1' and now - seen >= math.min(idle * ARGV[2], tonumber(ARGV[3])) then
  seen = now
  redis.call('HSET', KEYS[1], 'seen', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(idle, expires - now)))
end
return {found[1], found[2], string.format('%.0f', seen), found[4], found[6] or '', string.format('%.0f', now)}
