-- Caches what is revoked of a subject. What is revoked never becomes less: of the value that is there
-- and the new one, each number is the greater one, so that a reader that was held up undoes nothing.
--
-- KEYS[1]  the standing, revoked:{subject}: absent when it has to be looked up again
-- KEYS[2]  the last known one, {revoked:{subject}}:last
-- ARGV[1]  the epoch
-- ARGV[2]  the generation
-- ARGV[3]  the time before which tokens are refused, in Unix ms
-- ARGV[4]  the TTL of KEYS[1], in ms
-- ARGV[5]  the TTL of KEYS[2], in ms
-- Returns 1.

local generation, tokens = tonumber(ARGV[2]), tonumber(ARGV[3])
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key) or ''
  local epoch, known, before = string.match(value, '^(%S+) (%d+) (%d+)$')
  if epoch == ARGV[1] then
    generation, tokens = math.max(generation, tonumber(known)), math.max(tokens, tonumber(before))
  end
end
local value = string.format('%s %.0f %.0f', ARGV[1], generation, tokens)
redis.call('SET', KEYS[1], value, 'PX', ARGV[4])
redis.call('SET', KEYS[2], value, 'PX', ARGV[5])
return 1
