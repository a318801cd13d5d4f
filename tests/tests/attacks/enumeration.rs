//! Finding out who has an account (EN).
