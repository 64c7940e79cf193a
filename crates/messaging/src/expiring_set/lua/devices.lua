
-- The devices of a user, who is a member while any of them is: a sorted set, scored
-- by when each expires. The device '' stands for the heartbeats that name none.
--
-- KEYS[3]  the devices

-- About how many devices of a user are known: those with the newest heartbeats.
local MAX_DEVICES = 100

-- Removes the devices that have expired. None stays for longer than one with a
-- heartbeat now, wherever its score comes from.
local function tidy(ttl)
  own(KEYS[3], 'zset')
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - MAX_DEVICES)
  local longest = now + ttl
  for _, device in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. longest, '+inf')) do
    redis.call('ZADD', KEYS[3], longest, device)
  end
end

-- When the last device expires, which the key does too; nil if there is none.
local function last_expiry()
  local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2]
  if last then
    last = math.ceil(tonumber(last))
    redis.call('PEXPIREAT', KEYS[3], last)
    return last
  end
end
