-- Reads the own profile, everybody in turn.
local requests = {}
function init(arguments)
  for _, line in ipairs(own_lines(arguments[1], number, tonumber(arguments[2]))) do
    local access = line:match("^(%S+)")
    requests[#requests + 1] =
      wrk.format("GET", "/api/v1/auth/me", {Authorization = "Bearer " .. access})
  end
end
request = in_turn(requests)
