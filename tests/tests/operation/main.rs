//! Running the program: settings, commands, crashes, and what others say of it.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod durability;
mod readme_settings;
mod readme_tour;
mod schemathesis;
mod settings;
mod users;
