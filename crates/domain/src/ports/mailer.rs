//! Sending mail, and the mailbox that stands in for it in development.

use async_trait::async_trait;

use crate::{Cause, LetterId, Mail, StoreError, Timestamp};

/// Why a mail was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// It may be accepted later: the provider is away, busy or slow.
    #[error("the mail was not accepted now")]
    Temporary(#[source] Cause),
    /// It will never be accepted: the recipient or the message is refused.
    #[error("the mail was refused for good")]
    Permanent(#[source] Cause),
}

/// Hands mails to a provider.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands one mail over; `Ok` means that the provider answers for it now.
    async fn send(&self, mail: Mail) -> Result<(), MailerError>;
}

/// A mail as the development mailbox shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxMessage {
    /// The letter it was made of.
    pub id: LetterId,
    /// The sender, as configured.
    pub from: String,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// When it was handed over.
    pub sent_at: Timestamp,
}

/// How many mails a mailbox keeps, so that one that nobody empties stays small.
pub const MAILBOX_CAPACITY: u32 = 500;

/// Mails that were sent to nobody but the developer.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// Puts a mail into the box; one that is there already stays as it is.
    /// Only the newest [`MAILBOX_CAPACITY`] are kept.
    async fn put(&self, message: MailboxMessage) -> Result<(), StoreError>;

    /// The newest `limit` mails, newest first; with `to`, that recipient's only.
    async fn list(&self, to: Option<String>, limit: u32)
    -> Result<Vec<MailboxMessage>, StoreError>;

    /// Empties the box.
    async fn clear(&self) -> Result<(), StoreError>;
}
