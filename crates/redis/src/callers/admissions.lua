-- Two limits, and the caller if both allow it.
-- KEYS     the client's bucket, the user's, the caller, the version of its user
-- ARGV     now; a name for this request; window and limit of the first bucket, and
--          of the second; a name for a new version, how long a version is
--          remembered, how long a caller is good
-- Answers  what the buckets say, up to a refusal, and what was found
local now, name = tonumber(ARGV[1]), ARGV[2]
local client = take(KEYS[1], now, tonumber(ARGV[3]), tonumber(ARGV[4]), name)
if client[1] == 0 then
  return { client }
end
local own = take(KEYS[2], now, tonumber(ARGV[5]), tonumber(ARGV[6]), name)
if own[1] == 0 then
  return { client, own }
end
return { client, own, find(KEYS[3], KEYS[4], ARGV[7], ARGV[8], ARGV[9]) }
