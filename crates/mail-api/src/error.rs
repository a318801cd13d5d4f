//! What sending ends with.

use std::fmt;
use std::time::Duration;

use portcullis_domain::ports::MailerError;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// <https://resend.com>
    Resend,
    /// <https://www.brevo.com>
    Brevo,
}

impl Provider {
    /// As settings write it: `resend`, `brevo`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resend => "resend",
            Self::Brevo => "brevo",
        }
    }
}

/// As people write it.
impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resend => "Resend",
            Self::Brevo => "Brevo",
        })
    }
}

/// A message that a provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The provider's name for it.
    pub id: String,
    /// Who took it.
    pub provider: Provider,
}

/// Why a provider did not take a message. Of what it said, only its code and
/// plain words are kept: never the API key, never the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The message is refused for good.
    #[error("{provider} send failed: {told}")]
    Refused {
        /// Who refused it.
        provider: Provider,
        /// What it said.
        told: String,
    },
    /// The key, the account or the sender is refused: an operator can mend it.
    #[error("{provider} send failed: {told}")]
    Unauthorized {
        /// Who refused it.
        provider: Provider,
        /// What it said.
        told: String,
    },
    /// Too many messages.
    #[error("{provider} send failed: {told}")]
    RateLimited {
        /// Who refused it.
        provider: Provider,
        /// What it said.
        told: String,
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The provider is away, slow or broken. Whether it took the message is
    /// not known.
    #[error("{provider} send failed: {told}")]
    Unavailable {
        /// Who is away.
        provider: Provider,
        /// What happened.
        told: String,
    },
    /// A request with the same idempotency key was taken before.
    #[error("{provider} send failed: a request with this idempotency key was taken before")]
    Duplicate {
        /// Who took it.
        provider: Provider,
    },
    /// The provider answered with something else than it publishes. It may
    /// have taken the message.
    #[error("{provider} response {what}")]
    UnexpectedAnswer {
        /// Who answered.
        provider: Provider,
        /// What is wrong with the answer.
        what: &'static str,
    },
    /// The provider has no place for something that the message asks for.
    #[error("{what}")]
    Unsupported {
        /// Who has no place for it.
        provider: Provider,
        /// What is wrong.
        what: &'static str,
    },
}

impl From<SendError> for MailerError {
    /// Only what is wrong with this one message is for good. A retry carries
    /// the same idempotency key, so that it is no second mail.
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused { .. } | SendError::Unsupported { .. } => {
                Self::Permanent(error.into())
            }
            SendError::Unauthorized { .. }
            | SendError::RateLimited { .. }
            | SendError::Unavailable { .. }
            | SendError::Duplicate { .. }
            | SendError::UnexpectedAnswer { .. } => Self::Temporary(error.into()),
        }
    }
}
