//! SMTP servers that keep what they are sent.

mod aiosmtpd;
mod certificates;
mod message;
mod script;
mod session;
mod sink;

pub use aiosmtpd::{Aiosmtpd, Encryption};
pub use certificates::Certificates;
pub use message::SmtpMessage;
pub use script::{Reaction, Step};
pub use sink::SmtpSink;
