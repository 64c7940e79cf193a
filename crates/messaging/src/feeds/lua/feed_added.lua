-- What the scripts that add to a feed give back: where readers are at a proxy, what the relay has to
-- publish to them. Each runs behind this.
--
-- KEYS[1]  the feed
-- KEYS[3]  the user's open sockets
-- KEYS[4]  the mark of event streams that a proxy may hold

local function additions()
  local sockets = redis.call('EXISTS', KEYS[3]) == 1 and 's' or ''
  local streams = redis.call('EXISTS', KEYS[4]) == 1 and 'h' or ''
  if sockets .. streams == '' then
    return {}
  end
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return { sockets .. streams, newest and newest[1] or '0-0' }
end

local function add(added, id)
  if #added > 0 then
    table.insert(added, id)
  end
end

