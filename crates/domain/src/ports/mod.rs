//! What the rules need from outside, as traits.
//!
//! Stores come in two shapes, and no third: a **single step** (`&self`, one
//! atomic statement, the hot path) and a **unit of work** ([`Store::begin`]),
//! whose writes become visible together at commit or not at all.

mod access_tokens;
mod accounts_archive;
mod attempts;
mod limiter;
mod mailer;
mod opaque_tokens;
mod outbox;
mod password_hasher;
mod sessions;
mod store;
mod system;

pub use access_tokens::{AccessTokens, InvalidAccessToken, SigningError};
pub use accounts_archive::AccountsArchive;
pub use attempts::{Attempt, Attempted, IdentifierDigest, LoginStore, Opened, Opening};
pub use limiter::{Bucket, LimiterError, Quota, RateLimiter, Verdict};
pub use mailer::{MAILBOX_CAPACITY, Mailbox, MailboxMessage, Mailer, MailerError};
pub use opaque_tokens::OpaqueTokens;
pub use outbox::{Claim, Lease, OutboxQueue, OwedLetter, TURNS_AMONG, take_turns};
pub use password_hasher::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
pub use sessions::{Caller, Callers, SessionStore};
pub use store::{
    Audit, Enqueued, Lockouts, MailCap, OneTimeTokens, Outbox, Sessions, Store, UnitOfWork, Users,
};
pub use system::{Auxiliary, Clock, IdGenerator, Randomness};

#[cfg(feature = "mock")]
pub use {
    access_tokens::MockAccessTokens,
    accounts_archive::MockAccountsArchive,
    attempts::MockLoginStore,
    limiter::MockRateLimiter,
    mailer::{MockMailbox, MockMailer},
    opaque_tokens::MockOpaqueTokens,
    outbox::MockOutboxQueue,
    password_hasher::MockPasswordHasher,
    sessions::{MockCallers, MockSessionStore},
    store::MockStore,
    system::{MockAuxiliary, MockClock, MockIdGenerator, MockRandomness},
};
