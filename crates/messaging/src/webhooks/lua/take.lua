-- Takes entries from the queue for a worker: first those of workers that died, then new ones. What has
-- been taken too often, or is no entry of ours, goes to the dead letters.
--
-- KEYS[1]  the queue, a stream
-- KEYS[2]  the receivers in it that no worker has taken, a set
-- KEYS[3]  the dead letters, a stream
-- ARGV[1]  the group
-- ARGV[2]  the worker
-- ARGV[3]  how many entries of each kind
-- ARGV[4]  after how many milliseconds without a sign a worker counts as dead
-- ARGV[5]  how often an entry may be taken
-- ARGV[6]  how many dead letters are kept
-- Returns of each entry its id, its receiver, and whether it is dead (0, 1).

local group, worker = ARGV[1], ARGV[2]
redis.pcall('XGROUP', 'CREATE', KEYS[1], group, '0', 'MKSTREAM')

local function remove(id)
  redis.call('XACK', KEYS[1], group, id)
  redis.call('XDEL', KEYS[1], id)
end

local function bury(id, receiver, reason)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], '*', 'webhook', receiver, 'reason', reason)
  remove(id)
end

local taken = {}
local function take(entry, count)
  local id, fields = entry[1], entry[2]
  local receiver = fields and #fields == 2 and fields[1] == 'webhook' and fields[2]
  if not receiver or not string.match(receiver, '^%d+$') then
    bury(id, receiver or '', 'no receiver is named')
  elseif count > tonumber(ARGV[5]) then
    bury(id, receiver, 'taken by ' .. (count - 1) .. ' workers that all died')
    table.insert(taken, id); table.insert(taken, receiver); table.insert(taken, '1')
  else
    table.insert(taken, id); table.insert(taken, receiver); table.insert(taken, '0')
  end
end

local left = redis.call('XAUTOCLAIM', KEYS[1], group, worker, ARGV[4], '0-0', 'COUNT', ARGV[3])[2]
for _, entry in ipairs(left) do
  local pending = redis.call('XPENDING', KEYS[1], group, entry[1], entry[1], 1)[1]
  if pending then
    take(entry, pending[4])
  end
end

local new = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if new then
  for _, entry in ipairs(new[1][2]) do
    redis.call('SREM', KEYS[2], entry[2][2] or '')
    take(entry, 1)
  end
end

-- Workers that died leave their names behind.
if #left > 0 then
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group)) do
    local name, pending, idle = consumer[2], consumer[4], consumer[6]
    if pending == 0 and idle > 3600000 then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, name)
    end
  end
end
return taken
