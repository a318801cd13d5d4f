//! What is worth remembering about an account's safety.

use crate::{SessionId, SourceAddress, Timestamp, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// An account was registered.
    Registered,
    /// Somebody tried to register an address that belongs to an account, and
    /// was not told so.
    RegistrationAttempted,
    /// A mailbox was proven.
    EmailVerified,
    /// A password was reset by mail.
    PasswordReset,
    /// Guessing locked an identifier.
    Locked,
    /// An identity provider's user was linked to an account that was there.
    IdentityLinked,
    /// A rotated refresh token came back, and its session ended.
    RefreshTokenReused,
}

/// An entry of the audit log, written in the transaction of its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened.
    pub kind: AuditKind,
    /// When.
    pub at: Timestamp,
    /// To whom, where it is known.
    pub user: Option<UserId>,
    /// In which session, where there is one.
    pub session: Option<SessionId>,
    /// Where it came from.
    pub source: Option<SourceAddress>,
}
