//! Running the program: settings, commands, crashes, and what others say of it.

mod commands;
mod durability;
mod readme_tour;
mod schemathesis;
mod settings;
