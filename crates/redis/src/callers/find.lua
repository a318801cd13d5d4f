-- Finds a caller that was kept.
-- caller_key   the caller: version, moment, and what is sealed
-- version_key  the version of its user
-- then         a name for a new version, how long a version is remembered,
--              how long a caller is good (both in milliseconds)
-- Answers      {version, moment, sealed}; or {version, moment} if there is none
local function find(caller_key, version_key, name, remembered, lease)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('SET', version_key, name, 'NX')
  -- A write each time: a server that was made a replica must not answer.
  redis.call('PEXPIRE', version_key, remembered)
  local version = redis.call('GET', version_key)
  local kept = redis.call('GET', caller_key)
  if kept then
    local of, moment, sealed = string.match(kept, '^(%x+) (%d+) (.*)$')
    local age = moment and now - tonumber(moment) or -1
    if of == version and age >= 0 and age < tonumber(lease) then
      return { version, moment, sealed }
    end
  end
  return { version, string.format('%.0f', now) }
end
