-- Lists the oldest signals, and removes the entries between them that another program wrote.
--
-- KEYS[1]  the signals, {…}:signals
-- ARGV[1]  how many at the most
-- Returns of each its id and its event.

local signals = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
  local id, fields = entry[1], entry[2]
  if #fields == 2 and fields[1] == 'event' then
    table.insert(signals, id)
    table.insert(signals, fields[2])
  else
    redis.call('XDEL', KEYS[1], id)
  end
end
return signals
