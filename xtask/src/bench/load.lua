-- The requests of wrk, and its result.
--
-- Arguments: ids of conversations. With ids, each request posts a message to the next of them;
-- without, each request is a GET of the URL.

local ids = {}
local sent = 0

function init(args)
  for index = 1, #args do
    ids[index] = args[index]
  end
  if #ids > 0 then
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    request = post
  end
end

function post()
  sent = sent + 1
  local id = ids[(sent - 1) % #ids + 1]
  local body = '{"conversationId":%s,"senderId":1,"content":"Message %d of the benchmark"}'
  return wrk.format(nil, nil, nil, body:format(id, sent))
end

function done(summary, latency)
  local errors = summary.errors
  local line = '{"requests":%d,"seconds":%.3f,"p50_us":%d,"p99_us":%d,"refused":%d,"broken":%d}\n'
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local seconds = summary.duration / 1000000
  io.write(line:format(summary.requests, seconds, latency:percentile(50), latency:percentile(99), errors.status, broken))
end
