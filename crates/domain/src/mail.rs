//! Mails: letters written out.

use crate::{Email, LetterId};

/// A mail, ready for a provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The letter it is made of; the same on every attempt.
    pub id: LetterId,
    /// The one recipient.
    pub to: Email,
    /// The subject: one line.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A mail may hold a token: its debug form, which ends up in logs, tells none.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}
