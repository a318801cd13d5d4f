//! A way that mails take: a mailer, and the far side that they arrive at.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::ports::Mailer;

/// The sender that a fixture configures its mailer with.
pub const SENDER: &str = "Portcullis <noreply@example.com>";

/// What a far side does depends on the recipient's local part at
/// `example.com`: this one it does not know, for good.
pub const REFUSED: &str = "refused";
/// For this one it asks to try again later.
pub const BUSY: &str = "busy";
/// For this one it refuses the mail and quotes it, as far as it can.
pub const QUOTED: &str = "quoted";

/// A mail as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// What tells a second copy from a second mail: the `Message-ID`, or the
    /// provider's idempotency key.
    pub key: String,
    /// The sender, `Name <address>`.
    pub from: String,
    /// Everybody it was sent to.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The plain text part, decoded.
    pub text: String,
    /// The HTML part, decoded.
    pub html: String,
    /// The names of its headers, as far as the far side sees them.
    pub headers: Vec<String>,
}

/// Where mails arrive.
#[async_trait]
pub trait FarSide: Send + Sync {
    /// Everything that arrived, in order; a mail that was sent twice, twice.
    async fn arrived(&self) -> Vec<Arrived>;

    /// Goes away: whoever connects finds nobody.
    async fn vanish(&self);
}

/// A mailer with its far side.
pub struct MailRoute {
    /// The adapter.
    pub mailer: Arc<dyn Mailer>,
    /// Its debug form.
    pub debug: String,
    /// Where its mails arrive.
    pub far_side: Arc<dyn FarSide>,
    /// What must not be told: its password or key.
    pub secret: String,
}
