//! The memory adapters, with one deliberate defect.

mod archive;
mod hasher;
mod limiter;
mod mailer;
mod outage;
mod steps;
mod system;
mod tokens;
mod unit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_domain::ports::{Caller, Mailbox, MailboxMessage, Store, UnitOfWork};
use portcullis_domain::{SessionId, StoreError};
use portcullis_memory::MemoryStore;

pub(crate) use hasher::BrokenHasher;
pub(crate) use limiter::BrokenLimiter;
pub(crate) use mailer::broken_route;
pub(crate) use outage::broken_outage;
pub(crate) use system::broken_system;
pub(crate) use tokens::BrokenTokens;

/// What is wrong with an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Nothing,
    // Units.
    BeUnavailable,
    CommitNothing,
    CommitOnDrop,
    CountDown,
    FindNobody,
    HoldLocksForLong,
    LoseFields,
    PurgeNothing,
    SwallowConflicts,
    TakeEverybodyForOne,
    TellAtOnce,
    TellSecrets,
    UpgradeAnything,
    ConsumeAgainAndAgain,
    IgnoreExpiry,
    IgnorePurpose,
    IgnoreCaps,
    // Steps.
    AdvanceAgainAndAgain,
    AdvanceNever,
    AdvanceTwice,
    CacheForEver,
    DisplaceNobody,
    EndAnything,
    IgnorePasswordChange,
    IgnoreSeed,
    MixSources,
    NeverForgive,
    NeverLock,
    ReviveSessions,
    ClaimTooMuch,
    IgnoreLeases,
    IgnoreTurns,
    NeverSettle,
    IgnoreFilters,
    KeepTwice,
    ListBackwards,
    NeverClear,
    // Accounts on their way in and out.
    AllOrNothing,
    BlameTheAddress,
    CommitHalf,
    CompareByImporting,
    CountAnew,
    CutBatches,
    ForgetIdentity,
    ImportNothing,
    LookBeforehand,
    Overwrite,
    // Limiters.
    AllowOneMore,
    CountRefused,
    FixedWindow,
    OneBucket,
    TrustTheFuture,
    // Mailers.
    AddHeaders,
    EndAtADot,
    GiveUpAtOnce,
    MixMails,
    NewKeyEachTime,
    OneKey,
    TryForEver,
    // Outages.
    AnswerOneByOne,
    ForgetInAnOutage,
    LoseConnections,
    SayNothingIsThere,
    StayAway,
    // Time, ids and randomness.
    BeForeseeable,
    CountMilliseconds,
    CountSeconds,
    // Hashers and tokens.
    AcceptAnything,
    CutAt72,
    ExpireLate,
    FailOnDamage,
    FoldCase,
    IgnoreSeals,
    NoSalt,
    OddCharacters,
    SealAnew,
    StopAtNul,
    WelcomeStrangers,
}

/// A memory store with a defect.
#[derive(Clone)]
pub(crate) struct Broken {
    pub(crate) inner: MemoryStore,
    pub(crate) defect: Defect,
    /// What [`Defect::CacheForEver`] remembers.
    pub(crate) cache: Arc<Mutex<HashMap<SessionId, Caller>>>,
}

impl Broken {
    pub(crate) fn new(defect: Defect) -> Self {
        Self { inner: MemoryStore::new(), defect, cache: Arc::default() }
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

#[async_trait]
impl Store for Broken {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let inner = self.inner.begin().await?;
        Ok(Box::new(unit::BrokenUnit { inner: Some(inner), defect: self.defect }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.has(Defect::BeUnavailable) {
            return Err(StoreError::Unavailable("it is away".into()));
        }
        self.inner.ping().await
    }
}

#[async_trait]
impl Mailbox for Broken {
    async fn put(&self, mut message: MailboxMessage) -> Result<(), StoreError> {
        if self.has(Defect::KeepTwice) {
            message.id = portcullis_conformance::build::letter("any").id;
        }
        self.inner.put(message).await
    }

    async fn list(
        &self,
        to: Option<String>,
        limit: u32,
    ) -> Result<Vec<MailboxMessage>, StoreError> {
        let to = to.filter(|_| !self.has(Defect::IgnoreFilters));
        let mut listed = self.inner.list(to, limit).await?;
        if self.has(Defect::ListBackwards) {
            listed.reverse();
        }
        Ok(listed)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        if self.has(Defect::NeverClear) { Ok(()) } else { self.inner.clear().await }
    }
}

/// Longer than any law waits for a lock.
pub(crate) const LONG: Duration = Duration::from_secs(4);
