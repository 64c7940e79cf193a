-- What the scripts that add to a feed give back: where the user has sockets open, what the relay has to
-- publish to them. Each runs behind this.
--
-- KEYS[1]  the feed
-- KEYS[3]  the user's open sockets

local function additions()
  if redis.call('EXISTS', KEYS[3]) == 0 then
    return {}
  end
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return { newest and newest[1] or '0-0' }
end

local function add(added, id)
  if #added > 0 then
    table.insert(added, id)
  end
end

