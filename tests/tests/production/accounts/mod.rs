//! What the database keeps of accounts, and what it makes of hostile rows.

mod at_rest;
mod hashes;
mod password_reset;
mod registration;

const ANOTHER: &str = "NewSecurePass456!";
