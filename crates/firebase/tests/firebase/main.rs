//! Firebase, proven against Google's own emulator, somebody else's issuer of
//! tokens, and simulators of what neither has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account_faults;
mod cloud;
mod emulator;
mod firestore;
mod firestore_faults;
mod foreign_issuer;
mod id_tokens;
mod key_rotation;
mod messaging;
mod messaging_faults;
mod revocation;
