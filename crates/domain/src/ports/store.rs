//! The durable store, in units of work.

use std::time::Duration;

use async_trait::async_trait;

use crate::identity::Subject;
use crate::ports::IdentifierDigest;
use crate::{
    AuditEvent, IdentityLink, IdentitySource, Letter, LoginIdentifier, NewUser, OneTimeToken,
    PasswordHash, PersonName, Purpose, Session, SessionEnd, SessionId, StoreError, Timestamp,
    TokenDigest, User, UserId,
};

/// The durable store.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a unit of work. Hold one at a time and do nothing slow in it.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Asks the store for a sign of life.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Writes that become visible together at [`UnitOfWork::commit`], or never.
///
/// Dropping it undoes everything at once. An account that it reads it also
/// locks, so that a decision taken on it still holds at commit; so read the
/// account first where a unit touches several things of one.
#[async_trait]
pub trait UnitOfWork: Send {
    /// Accounts.
    fn users(&mut self) -> &mut dyn Users;
    /// One-time tokens.
    fn one_time_tokens(&mut self) -> &mut dyn OneTimeTokens;
    /// Sessions.
    fn sessions(&mut self) -> &mut dyn Sessions;
    /// Failure counters.
    fn lockouts(&mut self) -> &mut dyn Lockouts;
    /// Letters that are owed.
    fn outbox(&mut self) -> &mut dyn Outbox;
    /// Who users are elsewhere.
    fn identity_links(&mut self) -> &mut dyn IdentityLinks;
    /// Devices that notices go to.
    fn devices(&mut self) -> &mut dyn Devices;
    /// The audit log.
    fn audit(&mut self) -> &mut dyn Audit;
    /// Makes everything visible, durably. On an error nothing is known to
    /// have happened.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Accounts in a unit of work.
#[async_trait]
pub trait Users: Send {
    /// Adds an account and counts its number.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its e-mail or username is taken; the unit
    /// of work goes on.
    async fn add(&mut self, user: NewUser) -> Result<User, StoreError>;

    /// Adds an account like [`Users::add`], and hides whether it is taken: the
    /// same statements run, and a number is counted either way, so that neither
    /// the time nor the number of a later account tells.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its e-mail or username is taken; the unit
    /// of work goes on.
    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError>;

    /// The account of that id.
    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The account that an identifier names.
    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError>;

    /// Notes that the mailbox is proven; the first time counts.
    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError>;

    /// Gives the account another name.
    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Replaces the password.
    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Replaces the hash of the same password by a better one, if it is still
    /// `old`; says whether it was.
    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Removes up to `limit` accounts without a username that were registered
    /// before `before` and whose mailbox was never proven: nobody can log in
    /// to them. Says how many.
    async fn remove_unverified(&mut self, before: Timestamp, limit: u32)
    -> Result<u64, StoreError>;
}

/// One-time tokens in a unit of work.
#[async_trait]
pub trait OneTimeTokens: Send {
    /// Adds a token; one that is there already stays as it is.
    async fn add(&mut self, token: OneTimeToken) -> Result<(), StoreError>;

    /// The token of that digest and purpose: a look, which locks nothing.
    async fn find(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError>;

    /// Spends a token if it is usable at `now`, and returns it. Of any number
    /// of parallel calls one succeeds.
    async fn consume(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError>;

    /// Spends all of a user's tokens of a purpose.
    async fn spend_all(
        &mut self,
        user: UserId,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes up to `limit` tokens that expired before `before`; says how many.
    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Sessions in a unit of work.
#[async_trait]
pub trait Sessions: Send {
    /// Opens a session of an account that is new: its older ones are not
    /// counted, as [`LoginStore::open`](crate::ports::LoginStore::open) does.
    async fn open(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Ends a session if it is that user's and live at `end.at`; says whether
    /// it did.
    async fn end(
        &mut self,
        id: SessionId,
        user: UserId,
        end: SessionEnd,
    ) -> Result<bool, StoreError>;

    /// Ends all of a user's live sessions; says how many.
    async fn end_all(&mut self, user: UserId, end: SessionEnd) -> Result<u64, StoreError>;

    /// Removes up to `limit` sessions that expired before `before`; says how many.
    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Failure counters in a unit of work.
#[async_trait]
pub trait Lockouts: Send {
    /// Forgives all failures of an identifier, from every source.
    async fn clear(&mut self, identifier: IdentifierDigest) -> Result<(), StoreError>;

    /// Removes up to `limit` counters whose last failure was before `before`;
    /// says how many.
    async fn remove_stale(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// How much mail of one kind one recipient may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailCap {
    /// At most this many letters …
    pub limit: u32,
    /// … in any stretch of time this long.
    pub window: Duration,
}

/// Whether a letter is now owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is.
    Owed,
    /// The recipient has had enough of this kind.
    Capped,
}

/// Letters in a unit of work.
#[async_trait]
pub trait Outbox: Send {
    /// Adds a letter, due at once, unless that would exceed the cap for its
    /// recipient and kind.
    async fn enqueue(&mut self, letter: &Letter, cap: MailCap) -> Result<Enqueued, StoreError>;

    /// Removes up to `limit` letters that were settled before `before`; says
    /// how many. Buried ones stay.
    async fn remove_settled(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// The audit log in a unit of work.
#[async_trait]
pub trait Audit: Send {
    /// Adds an entry.
    async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError>;

    /// Removes up to `limit` entries from before `before`; says how many.
    async fn remove_old(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// The newest entries of a user, newest first, at most `limit`.
    async fn of_user(&mut self, user: UserId, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;
}

/// Devices in a unit of work; beside it, [`DeviceStore`](crate::ports::DeviceStore).
#[async_trait]
pub trait Devices: Send {
    /// Forgets all of a user's devices.
    async fn forget_all_of(&mut self, user: UserId) -> Result<(), StoreError>;
}

/// Who users are elsewhere, in a unit of work.
#[async_trait]
pub trait IdentityLinks: Send {
    /// The account that a provider's user is linked to.
    async fn user_of(
        &mut self,
        source: IdentitySource,
        subject: &Subject,
    ) -> Result<Option<User>, StoreError>;

    /// Links a provider's user to an account, unless they are linked already;
    /// says whether they are now. Of any number of parallel links of one
    /// provider's user one succeeds.
    async fn link(&mut self, link: &IdentityLink) -> Result<bool, StoreError>;
}
