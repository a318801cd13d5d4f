//! Passwords and their hashes (PW).
