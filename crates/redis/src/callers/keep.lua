-- Keeps a caller that was read from the database, unless something happened
-- since it was looked for.
-- KEYS     as in find.lua
-- ARGV     version and moment as they were then, how long a caller is good in
--          milliseconds, what is sealed
local time = redis.call('TIME')
local age = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[2])
local left = tonumber(ARGV[3]) - age
if age < 0 or left <= 0 or redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return
end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. ARGV[4], 'PX', left)
