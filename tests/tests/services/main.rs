//! Services beside the store, wired into the real binary: identity tokens,
//! pictures, notices and purchases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod avatars;
mod devices;
mod firebase;
mod firebase_login;
mod offers;
mod purchases;
