
-- The devices of a user, who is a member while any of them is: a sorted set, scored
-- by when each expires. The device '' stands for the heartbeats that name none.
--
-- KEYS[4]  when each user was last online: a sorted set of users, scored by Unix ms
-- KEYS[5]  the devices

-- About how many devices of a user are known: those with the newest heartbeats.
local MAX_DEVICES = 100

-- For how long it is remembered when a user was last online: 90 days.
local SEEN_TTL = 90 * 24 * 60 * 60 * 1000

-- Removes the devices that have expired. None stays for longer than one with a
-- heartbeat now, wherever its score comes from. When the last one expires, or nil.
local function tidy(ttl)
  local longest, last = now + ttl, nil
  local devices = call('ZRANGE', KEYS[5], 0, -1, 'WITHSCORES')
  local surplus = #devices / 2 - MAX_DEVICES
  for i = 1, #devices, 2 do
    local device, expiry = devices[i], math.ceil(tonumber(devices[i + 1]))
    if expiry <= now or surplus > 0 then
      redis.call('ZREM', KEYS[5], device)
      surplus = surplus - 1
    else
      if expiry > longest then
        expiry = longest
        redis.call('ZADD', KEYS[5], expiry, device)
      end
      last = math.max(last or 0, expiry)
    end
  end
  return last
end

-- Remembers that the user is, or was just now, online.
local function see(user)
  call('ZADD', KEYS[4], now, user)
end

-- Forgets who was last online too long ago.
local function forget_unseen()
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - SEEN_TTL)
end
