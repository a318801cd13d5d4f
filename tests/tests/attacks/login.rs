//! Guessing passwords, and locking people out (LG).
