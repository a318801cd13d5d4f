-- Counts a user's version up: what is kept of an older one is good no more.
-- KEYS[1]  the version
-- ARGV     how long it is remembered, in milliseconds
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
