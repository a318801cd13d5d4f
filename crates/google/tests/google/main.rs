//! Service accounts, and a Google that judges what they say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_tokens;
mod calls;
mod cloud;
