-- Two limits, and the caller if both allow it, for each of those who ask together.
-- KEYS     four for each: the client's bucket, the user's, the caller, the version of
--          its user
-- ARGV     a name for these requests, a name for new versions, how long a version is
--          remembered, how long a caller is good; then five for each who asks: now,
--          window and limit of the first bucket, and of the second
-- Answers  for each, in one string: what the buckets say, up to a refusal, and what
--          was found
local requests, version, remembered, lease = unpack(ARGV, 1, 4)

local function admit(number)
  local now, client_window, client_limit, own_window, own_limit =
    unpack(ARGV, 5 * number, 5 * number + 4)
  now = tonumber(now)
  local client_key, own_key, caller_key, version_key = unpack(KEYS, 4 * number - 3, 4 * number)
  local name = requests .. '-' .. number
  local client = take(client_key, now, tonumber(client_window), tonumber(client_limit), name)
  local told = table.concat(client, ' ')
  if client[1] == 0 then
    return told
  end
  local own = take(own_key, now, tonumber(own_window), tonumber(own_limit), name)
  told = told .. ' ' .. table.concat(own, ' ')
  if own[1] == 0 then
    return told
  end
  local found = find(caller_key, version_key, version, remembered, lease)
  return told .. ' ' .. table.concat(found, ' ')
end

local told = {}
for number = 1, #KEYS / 4 do
  told[number] = admit(number)
end
return told
