-- Finds a caller that was kept.
-- KEYS[1]  the caller: version, moment, and what is sealed
-- KEYS[2]  the version of its user
-- ARGV     a name for a new version, how long a version is remembered,
--          how long a caller is good (both in milliseconds)
-- Answers  {version, moment, sealed}; or {version, moment} if there is none
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[2], ARGV[1], 'NX')
-- A write each time: a server that was made a replica must not answer.
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local version = redis.call('GET', KEYS[2])
local kept = redis.call('GET', KEYS[1])
if kept then
  local of, moment, sealed = string.match(kept, '^(%x+) (%d+) (.*)$')
  local age = moment and now - tonumber(moment) or -1
  if of == version and age >= 0 and age < tonumber(ARGV[3]) then
    return { version, moment, sealed }
  end
end
return { version, string.format('%.0f', now) }
