-- Logs in, everybody in turn.
local requests = {}
function init(arguments)
  for _, line in ipairs(own_lines(arguments[1], number, tonumber(arguments[2]))) do
    local email = line:match("^%S+ %S+ (%S+)")
    requests[#requests + 1] = json("/api/v1/auth/login",
      '{"email":"' .. email .. '","password":"SecurePass123!"}')
  end
end
request = in_turn(requests)
