DROP FUNCTION displace_sessions(UUID, UUID, BIGINT, TIMESTAMPTZ);
DROP TABLE login_failures;
DROP TABLE one_time_tokens;
DROP TABLE sessions;
DROP TABLE users;
