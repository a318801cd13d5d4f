-- KEYS[1]  the bucket
-- ARGV     now, window, limit, a name for this request
return take(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])
