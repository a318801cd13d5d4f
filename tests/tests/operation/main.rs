//! Running the program: settings, commands, crashes, and what others say of it.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod doctor;
mod durability;
mod jobs;
mod keys;
mod metrics;
mod readme_settings;
mod readme_tour;
mod schemathesis;
mod seeding;
mod settings;
mod site;
mod traces;
mod users;
