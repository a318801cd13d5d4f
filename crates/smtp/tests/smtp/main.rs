//! A mailer and real SMTP servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod encryption;
mod far_side;
mod faults;
mod hostile;
mod laws;
