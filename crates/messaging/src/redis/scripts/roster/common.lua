-- What the scripts that change a roster have in common; each runs behind this.
--
-- A roster is a sorted set of members, scored by when the life of each ends
-- (Unix ms, by the clock of Redis). It alone decides who is there: whoever adds
-- or removes a member here publishes that in the same step, so every change is
-- told once and in order, however many replicas take part. A member is a user's
-- id, or the ids of a conversation and a user with a colon between.
--
-- KEYS[1]  the roster
-- ARGV[1]  the channel; here and in the events, @u stands for the user and @c
--          for the conversation
-- ARGV[2]  the event that says that a member came
-- ARGV[3]  the event that says that a member went
-- Returns what was published: member, 1 if it came or 0 if it went, event, …

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changes = {}

local function publish(member, there, event)
  local user = string.match(member, '%d+$')
  local conversation = string.match(member, '^%d+')
  local function fill(template)
    return (string.gsub(string.gsub(template, '@u', user), '@c', conversation))
  end
  redis.call('PUBLISH', fill(ARGV[1]), fill(event))
  table.insert(changes, member)
  table.insert(changes, there)
  table.insert(changes, fill(event))
end

local function remove(member)
  if redis.call('ZREM', KEYS[1], member) == 1 then
    publish(member, 0, ARGV[3])
  end
end

-- Removes a member whose life ends within so many milliseconds.
local function expire(member, tolerance)
  local score = redis.call('ZSCORE', KEYS[1], member)
  if score and tonumber(score) <= now + tolerance then
    remove(member)
  end
end

-- Removes members whose life is over; a hundred, so that no call takes long.
local function reap()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
    remove(member)
  end
end
