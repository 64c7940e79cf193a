-- What the scripts that change an expiring set share; each runs behind this.
--
-- An expiring set is a sorted set of members, scored by when each expires (Unix
-- ms, by the clock of Redis). It alone decides who is a member: the script that
-- adds or removes one publishes that in the same step, so every change is
-- published once and in order, however many replicas take part. A member is a user's
-- id, or the ids of a conversation and a user with a colon between. What is neither
-- was written by another program and is removed when a script meets it.
--
-- A change stays in a list until the request that made it has reported it. One that is
-- there for longer than that takes was left by a request that died, or whose reply was
-- lost: the next script takes it over. So every change is reported at least once.
--
-- KEYS[1]  the expiring set
-- KEYS[2]  the changes to report
-- ARGV[1]  the channel; here and in the events, @u stands for the user and @c
--          for the conversation
-- ARGV[2]  the event of a member that was added
-- ARGV[3]  the event of a member that was removed
-- Returns for how many milliseconds more the member in ARGV[4] stays, 0 if there is
-- none; then the changes to report, each as in the list: when it was written (Unix
-- ms), 1 for a member that was added or 0 for one that was removed, the member, and
-- the event that was published, with spaces between.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changes = {}

-- How long a report takes at the most, in milliseconds.
local REPORT = 3000
-- How many changes wait to be reported at the most; and for how long, in milliseconds.
local MAX_CHANGES = 10000
local CHANGES_TTL = 24 * 60 * 60 * 1000

-- Whether a text is an id: 1 to 2^53 - 1, as a number is written.
local function is_id(text)
  return string.find(text, '^[1-9]%d*$') and #text <= 16 and tonumber(text) < 2 ^ 53
end

-- The user of a member, and the conversation where the channel names one; nil
-- where the text is no member of this set.
local function parse(member)
  if not string.find(ARGV[1], '@c', 1, true) then
    return is_id(member) and member
  end
  local conversation, user = string.match(member, '^(%d+):(%d+)$')
  if conversation and is_id(conversation) and is_id(user) then
    return user, conversation
  end
end

-- Adds a change to those that the request is to report.
local function report(present, member, event)
  local change = now .. ' ' .. present .. ' ' .. member .. ' ' .. event
  redis.call('RPUSH', KEYS[2], change)
  redis.call('LTRIM', KEYS[2], -MAX_CHANGES, -1)
  redis.call('PEXPIRE', KEYS[2], CHANGES_TTL)
  table.insert(changes, change)
end

-- Takes over what others left; a hundred, so that no call takes long. What is no
-- change, or a key of another type, was written by another program.
local function take_over()
  local kind = redis.call('TYPE', KEYS[2]).ok
  if kind ~= 'list' and kind ~= 'none' then
    redis.call('DEL', KEYS[2])
  end
  for _, change in ipairs(redis.call('LRANGE', KEYS[2], 0, 99)) do
    local written, present, member, event = string.match(change, '^(%d+) ([01]) (%S+) (.*)$')
    -- A clock that went back leaves changes of the future.
    if not written or math.abs(now - written) > REPORT then
      redis.call('LREM', KEYS[2], 1, change)
      if written and parse(member) then
        report(present, member, event)
      end
    end
  end
end

local function publish(member, present, event)
  local user, conversation = parse(member)
  if not user then
    return
  end
  local function fill(template)
    return (string.gsub(string.gsub(template, '@u', user), '@c', conversation or ''))
  end
  redis.call('PUBLISH', fill(ARGV[1]), fill(event))
  report(present, member, fill(event))
end

-- Adds a member that expires at that time, or lets it expire then.
local function add(member, expiry)
  if redis.call('ZADD', KEYS[1], expiry, member) == 1 then
    publish(member, 1, ARGV[2])
  end
end

local function remove(member)
  if redis.call('ZREM', KEYS[1], member) == 1 then
    publish(member, 0, ARGV[3])
  end
end

-- Removes a member that expires within so many milliseconds.
local function expire(member, tolerance)
  local score = redis.call('ZSCORE', KEYS[1], member)
  if score and tonumber(score) <= now + tolerance then
    remove(member)
  end
end

-- What every script begins with: takes over what others left, and removes members
-- that have expired, a hundred too.
local function reap()
  take_over()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 100)) do
    remove(member)
  end
end

-- What a script returns.
local function result()
  local score = redis.call('ZSCORE', KEYS[1], ARGV[4])
  local remaining = score and math.max(0, tonumber(score) - now) or 0
  table.insert(changes, 1, math.min(remaining, 2 ^ 53))
  return changes
end
