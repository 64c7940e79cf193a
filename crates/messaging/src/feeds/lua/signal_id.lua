-- The parts of a signal's id; zeros where there is none.
local function parse(id)
  local ms, n = string.match(id or '', '^(%d+)-(%d+)$')
  return { tonumber(ms or 0), tonumber(n or 0) }
end

local function is_newer(one, other)
  return one[1] > other[1] or (one[1] == other[1] and one[2] > other[2])
end

