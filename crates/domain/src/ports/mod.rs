//! What the rules need from outside, as traits.
//!
//! Stores come in two shapes, and no third: a **single step** (`&self`, one
//! atomic statement, the hot path) and a **unit of work** ([`Store::begin`]),
//! whose writes become visible together at commit or not at all.

mod access_tokens;
mod accounts_archive;
mod admissions;
mod attempts;
mod belongings;
mod documents;
mod identity;
mod images;
mod jobs;
mod limiter;
mod mailer;
mod objects;
mod opaque_tokens;
mod outbox;
mod password_hasher;
mod purchases;
mod push;
mod sessions;
mod store;
mod system;

pub use access_tokens::{AccessTokens, InvalidAccessToken, SigningError};
pub use accounts_archive::AccountsArchive;
pub use admissions::{Admission, Admissions, Entrant};
pub use attempts::{Attempt, Attempted, IdentifierDigest, LoginStore, Opened, Opening};
pub use belongings::{AvatarStore, Claimed, DeviceStore, EntitlementStore};
pub use documents::{
    DocumentError, DocumentStore, MAX_DOCUMENTS_PER_PAGE, MalformedDocument, all_documents,
};
pub use identity::{IdentityError, IdentityProvider, MalformedIdentity, RevocationCheck};
pub use images::{Place, Portrait, PortraitError, Portraits};
pub use jobs::{JobClaim, JobQueue, OwedJob};
pub use limiter::{Bucket, LimiterError, Quota, RateLimiter, Verdict};
pub use mailer::{MAILBOX_CAPACITY, Mailbox, MailboxMessage, Mailer, MailerError};
pub use objects::{
    ContentStream, ObjectError, ObjectStore, SIGNED_LIFETIMES, SignedDownloads, check_lifetime,
};
pub use opaque_tokens::OpaqueTokens;
pub use outbox::{Claim, Lease, OutboxQueue, OwedLetter, TURNS_AMONG, take_turns};
pub use password_hasher::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
pub use purchases::{Flaw, Freshness, Missing, PurchaseArgument, PurchaseError, Purchases};
pub use push::{Delivery, MalformedNotification, Notifier, PushError, PushId};
pub use sessions::{Caller, Callers, SessionStore};
pub use store::{
    Audit, Devices, Enqueued, IdentityLinks, Lockouts, MailCap, OneTimeTokens, Outbox, Sessions,
    Store, UnitOfWork, Users,
};
pub use system::{Auxiliary, Clock, IdGenerator, Randomness};

#[cfg(feature = "mock")]
pub use {
    access_tokens::MockAccessTokens,
    accounts_archive::MockAccountsArchive,
    attempts::MockLoginStore,
    belongings::{MockAvatarStore, MockDeviceStore, MockEntitlementStore},
    documents::MockDocumentStore,
    identity::MockIdentityProvider,
    images::MockPortraits,
    jobs::MockJobQueue,
    limiter::MockRateLimiter,
    mailer::{MockMailbox, MockMailer},
    objects::{MockObjectStore, MockSignedDownloads},
    opaque_tokens::MockOpaqueTokens,
    outbox::MockOutboxQueue,
    password_hasher::MockPasswordHasher,
    purchases::MockPurchases,
    push::MockNotifier,
    sessions::{MockCallers, MockSessionStore},
    store::MockStore,
    system::{MockAuxiliary, MockClock, MockIdGenerator, MockRandomness},
};
