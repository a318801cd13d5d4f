-- What the driver reads: requests, microseconds of all, of the median and of the
-- 99th percentile, and how many went wrong.
function done(summary, latency, requests)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), wrong))
end

-- Each thread has lines of its own: of `threads` threads, this is number `number`.
function own_lines(path, number, threads)
  local lines, count = {}, 0
  for line in io.lines(path) do
    if count % threads == number then lines[#lines + 1] = line end
    count = count + 1
  end
  return lines
end

local created = 0
function setup(thread)
  thread:set("number", created)
  created = created + 1
end

function json(path, body)
  return wrk.format("POST", path, {["Content-Type"] = "application/json"}, body)
end

-- What asks those one after the other, again and again.
function in_turn(requests)
  local turn = 0
  return function()
    turn = turn % #requests + 1
    return requests[turn]
  end
end
