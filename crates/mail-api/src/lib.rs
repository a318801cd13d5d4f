//! Mail over the HTTP APIs of Resend and Brevo, and failover between mailers.
//!
//! [`Message`] is everything that these providers can send; [`Resend`] and
//! [`Brevo`] send it. Both also implement the domain's port
//! [`Mailer`](portcullis_domain::ports::Mailer) (`MAIL_PROVIDER=resend`,
//! `brevo`). [`FailoverMailer`] tries several mailers in turn.

mod address;
mod api;
mod brevo;
mod error;
mod failover;
mod message;
mod outbox_mail;
mod resend;
mod settings;

pub use brevo::Brevo;
pub use error::{Provider, SendError, Sent};
pub use failover::{FailoverMailer, NamedMailer, NoMailer};
pub use message::{Attachment, Draft, Message, MessageError, Recipients, Tag, Template, Variable};
pub use resend::Resend;
pub use settings::{ApiSettings, InvalidApiSettings};
