//! Clients of mail APIs, and servers that are as strict as the published ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod far_side;
mod laws;
mod mapping;
