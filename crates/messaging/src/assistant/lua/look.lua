-- KEYS: the answer, the right to ask. ARGV: this request, how long the right lasts (ms).
local answer = redis.call('GET', KEYS[1])
if answer then
  return {'known', answer}
end
local asks = redis.call('GET', KEYS[2])
if asks and asks ~= ARGV[1] then
  return {'asked'}
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {'ours'}
