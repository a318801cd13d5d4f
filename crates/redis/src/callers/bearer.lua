-- KEYS  the caller, the version of its user
-- ARGV  a name for a new version, how long a version is remembered, how long a
--       caller is good
return find(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
