-- Runs a command on a key. A value of another type was written by another program and counts as
-- absent: the key is deleted. Only that key: one that the script uses with it stays.
local function call(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.find(reply.err, 'WRONGTYPE', 1, true) then
    redis.call('DEL', key)
  end
  return redis.call(command, key, ...)
end

-- The time of Redis, in Unix ms.
local function unix_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
