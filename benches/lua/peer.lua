-- Asks what stands in a file, a line for each request: method, path, type of the body,
-- what authorises it and the body, with tabs between them and `-` for what is not there.
local requests = {}
function init(arguments)
  for _, line in ipairs(own_lines(arguments[1], number, tonumber(arguments[2]))) do
    local method, path, kind, bearer, body =
      line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = {}
    if kind ~= "-" then headers["Content-Type"] = kind end
    if bearer ~= "-" then headers["Authorization"] = "Bearer " .. bearer end
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "-" and body or nil)
  end
end
request = in_turn(requests)
