-- Refreshes sessions: what comes back is presented next. There must be more
-- sessions than connections.
local tokens, first, last = {}, 1, 0
local function push(token)
  last = last + 1
  tokens[last] = token
end
function init(arguments)
  for _, line in ipairs(own_lines(arguments[1], number, tonumber(arguments[2]))) do
    push(line:match("^%S+ (%S+)"))
  end
end
function request()
  local token = tokens[first]
  tokens[first] = nil
  first = first + 1
  return json("/api/v1/auth/refresh", '{"refresh_token":"' .. token .. '"}')
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then push(token) end
end
