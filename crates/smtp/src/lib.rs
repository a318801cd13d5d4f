//! Mail over SMTP (`MAIL_PROVIDER=smtp`).
//!
//! [`SmtpSettings`] reads a connection URL, [`SmtpMailer`] implements the
//! domain's port [`Mailer`](portcullis_domain::ports::Mailer) with lettre.
//!
//! lettre's own pool is not used: it keeps a connection whose send was
//! cancelled by a time-out, and the next mail would take the answer that the
//! last one is still owed for its own.

mod connection;
mod error;
mod idle;
mod inspection;
mod line_ends;
mod mailer;
mod message;
mod sender;
mod settings;
mod subject;

pub use connection::UnusableAuthority;
pub use error::SmtpError;
pub use inspection::{Inspection, InspectionError, inspect};
pub use mailer::{InvalidSmtpMailer, SmtpMailer};
pub use sender::{InvalidSender, sender_domain};
pub use settings::{InvalidSmtpUrl, SmtpSettings};
