
-- What the scripts that change an expiring set share; each runs behind this.
--
-- An expiring set is a sorted set of members, scored by when each expires (Unix
-- ms, by the clock of Redis). It alone decides who is a member. The script that
-- adds or removes one publishes that and adds a signal for the relay in the same
-- step, so every change is published and signalled once and in order, however many
-- replicas take part, and whether or not the reply arrives. A member is a user's id,
-- or the ids of a conversation and a user with a colon between. What is neither was
-- written by another program and is removed when a script meets it.
--
-- KEYS[1]  the expiring set
-- KEYS[2]  the signals
-- KEYS[3]  the plain set that shows the members, where it is in the same slot; else
--          its followers are the requests and the relay
-- ARGV[1]  the channel; here and in the events, @u stands for the user and @c
--          for the conversation
-- ARGV[2]  the event of a member that was added
-- ARGV[3]  the event of a member that was removed
-- Returns for how many milliseconds more the member in ARGV[4] stays, 0 if there is
-- none; 1 if signals wait for the relay, else 0; then the changes: 1 for a member
-- that was added or 0 for one that was removed, a space, and the member.

local now = unix_ms()
local changes = {}

-- About how many signals wait at the most.
local MAX_SIGNALS = 10000

-- How many expired members one script removes: no call takes long.
local MAX_REAPED = 100

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

local function publish(member, present, event)
  local user, conversation = parse(member)
  if not user then
    return
  end
  local function fill(template)
    return (string.gsub(string.gsub(template, '@u', user), '@c', conversation or ''))
  end
  call('XADD', KEYS[2], 'MAXLEN', '~', MAX_SIGNALS, '*', 'event', fill(event))
  redis.call('PUBLISH', fill(ARGV[1]), fill(event))
  table.insert(changes, present .. ' ' .. member)
end

-- Adds a member that expires at that time, or lets it expire then; whether it is new.
local function add(member, expiry)
  local new = call('ZADD', KEYS[1], expiry, member) == 1
  if new then
    publish(member, 1, ARGV[2])
  end
  return new
end

-- Removes a member; whether it was there.
local function remove(member)
  local was = call('ZREM', KEYS[1], member) == 1
  if was then
    publish(member, 0, ARGV[3])
  end
  if KEYS[3] then
    call('SREM', KEYS[3], member)
  end
  return was
end

-- Removes a member that expires within so many milliseconds.
local function expire(member, tolerance)
  local score = call('ZSCORE', KEYS[1], member)
  if score and tonumber(score) <= now + tolerance then
    remove(member)
  end
end

-- What every script begins with: removes members that have expired; whether all.
local function reap()
  local expired = call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, MAX_REAPED)
  for _, member in ipairs(expired) do
    remove(member)
  end
  return #expired < MAX_REAPED
end

-- What every script that adds a member begins with: a member that has expired is
-- removed before it is added anew.
local function reap_before(member)
  if not reap() then
    expire(member, 0)
  end
end

-- What a script returns of a member that expires then, or of none.
local function result(expiry)
  local remaining = expiry and math.max(0, expiry - now) or 0
  local reply = { math.min(remaining, 2 ^ 53), math.min(call('XLEN', KEYS[2]), 1) }
  for _, change in ipairs(changes) do
    table.insert(reply, change)
  end
  return reply
end
