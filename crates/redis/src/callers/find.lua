-- Finds a caller that was kept.
-- KEYS[1]  the caller: version, moment, and what is sealed
-- KEYS[2]  the version of its user
-- KEYS[3]  the generation of everything that is kept
-- ARGV     a name for a new generation, how long a caller is good in milliseconds
-- Answers  {sealed}; or {generation, version, moment} if there is none
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local version = redis.call('GET', KEYS[2]) or '0'
local kept = redis.call('GET', KEYS[1])
if kept then
  local of, moment, sealed = string.match(kept, '^(%d+) (%d+) (.*)$')
  local age = moment and now - tonumber(moment) or -1
  if of == version and age >= 0 and age < tonumber(ARGV[2]) then
    return { sealed }
  end
end
redis.call('SET', KEYS[3], ARGV[1], 'NX')
return { redis.call('GET', KEYS[3]), version, string.format('%.0f', now) }
