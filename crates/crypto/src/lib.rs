//! Password hashing, access token keys, opaque tokens, the system clock and ids.
