//! Letters: what the outbox owes to somebody.

use crate::{LetterId, LoginIdentifier, SourceAddress, Timestamp};

/// What a letter is about (contract §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LetterKind {
    /// Asks to prove the mailbox.
    Verification,
    /// Lets choose a new password.
    PasswordReset,
    /// Greets after the mailbox is proven.
    Welcome,
    /// Tells that the password changed.
    PasswordChanged,
    /// Tells that guessing locked the account for somebody.
    AccountLocked,
    /// Tells that a refresh token was used twice and its session ended.
    RefreshTokenReused,
    /// Tells that somebody tried to register the address again.
    RegistrationAttempted,
}

/// A letter that is owed, written in the transaction of its cause.
///
/// It names a recipient by identifier, not by account, and carries no token:
/// the worker that sends it looks the account up and derives the token then.
/// So asking for a letter costs the same whether or not an account exists,
/// and the outbox holds nothing worth stealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its name; the mail's `Message-ID` is made of it, on every attempt.
    pub id: LetterId,
    /// What it is about.
    pub kind: LetterKind,
    /// Who it is for. Without such an account it is never sent.
    pub recipient: LoginIdentifier,
    /// Where its cause came from.
    pub source: Option<SourceAddress>,
    /// When its cause happened.
    pub created_at: Timestamp,
}
