//! The memory adapters, with one deliberate defect.

mod archive;
mod belongings;
mod far_belongings;
mod hasher;
mod jobs;
mod limiter;
mod mailer;
mod objects;
mod outage;
mod outage_of_jobs;
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
use tokio::sync::Barrier;

pub(crate) use hasher::BrokenHasher;
pub(crate) use limiter::BrokenLimiter;
pub(crate) use mailer::broken_route;
pub(crate) use objects::broken_bucket;
pub(crate) use outage::broken_outage;
pub(crate) use system::broken_system;
pub(crate) use tokens::BrokenTokens;

/// How long somebody who looked beforehand waits for another: longer than a busy
/// machine needs to start a task.
const COMPANY: Duration = Duration::from_secs(2);

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
    IgnoreKeys,
    IgnoreHolders,
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
    // What belongs to accounts.
    KeepTheOldest,
    TellNothing,
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
    // Objects.
    CopyByUploading,
    LinkCopies,
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
    WorkForNobody,
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
    pub(crate) cache: Arc<Mutex<HashMap<SessionId, Arc<Caller>>>>,
    /// Where those meet who looked beforehand.
    looked: Arc<Barrier>,
}

impl Broken {
    pub(crate) fn new(defect: Defect) -> Self {
        Self {
            inner: MemoryStore::new(),
            defect,
            cache: Arc::default(),
            looked: Arc::new(Barrier::new(2)),
        }
    }

    /// What [`Defect::LookBeforehand`] does between its look and its write: of several
    /// at once, two have looked before either writes.
    async fn let_another_look(&self) {
        let _ = tokio::time::timeout(COMPANY, self.looked.wait()).await;
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
