-- Of a hundred requests, 90 read, 9 refresh and one logs in.
local reads, logins, tokens = {}, {}, {}
local first, last, turn = 1, 0, 0
local function push(token)
  last = last + 1
  tokens[last] = token
end
function init(arguments)
  for _, line in ipairs(own_lines(arguments[1], number, tonumber(arguments[2]))) do
    local access, refresh, email = line:match("^(%S+) (%S+) (%S+)")
    reads[#reads + 1] =
      wrk.format("GET", "/api/v1/auth/me", {Authorization = "Bearer " .. access})
    logins[#logins + 1] = json("/api/v1/auth/login",
      '{"email":"' .. email .. '","password":"SecurePass123!"}')
    push(refresh)
  end
end
function request()
  turn = turn + 1
  local kind = turn % 100
  if kind == 0 then return logins[turn / 100 % #logins + 1] end
  if kind % 11 == 0 and tokens[first] then
    local token = tokens[first]
    tokens[first] = nil
    first = first + 1
    return json("/api/v1/auth/refresh", '{"refresh_token":"' .. token .. '"}')
  end
  return reads[turn % #reads + 1]
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then push(token) end
end
