-- Deletes a key if it holds a value of another type: another program wrote it, and it
-- counts as absent. Only that key: one that the script uses with it stays.
local function own(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    redis.call('DEL', key)
  end
end
