//! Callers that were looked up a moment ago.
//!
//! # Why nobody who was shown out comes back
//!
//! 1. Every user has a *version* in Redis: a random name, made when it is first
//!    asked for. A caller is kept together with the version from before it was
//!    read from the database, and is given out only while that version stands.
//! 2. Whoever changes a user or ends a session does so in the database first,
//!    then removes the version, and only then acknowledges the change. The next
//!    version is another name, so one that was evicted, flushed or expired shows
//!    out too.
//! 3. A version that cannot be removed is waited out: a caller is kept for one
//!    *lease* of two seconds from before it was read, and an end or a new
//!    password is acknowledged a lease after it was stored.
//!
//! So after an acknowledged end, what was read before it is of no version that
//! stands, or gone, and what is read after it is ended. Of clocks only Redis's
//! own is asked, and only for how long something took.
//!
//! Whoever misses a caller whom the store is being asked for is given the same answer,
//! if they would be given it had it been kept by then: under the same version, within
//! its lease.
//!
//! All this is kept under the name of one server process: what a restart brings
//! back from a disk is under an old name. A server with replicas, a replica, or
//! a node of a cluster keeps no callers, since another may step in that does not
//! know of the last change; and one that is made a replica refuses to answer,
//! since each answer also writes.
//!
//! What is left to the operator: all instances have the same `REDIS_URL`, and it
//! leads to one process at a time. Where an address is moved to another process
//! while old connections live on, or an instance runs without Redis beside
//! others that have it, an ended session may be accepted for a lease.
//!
//! Callers are sealed (AES-256-GCM-SIV), bound to session, process, version and
//! moment: whoever reads Redis learns no address and no hash, and whoever writes
//! it makes nobody a caller.

mod admissions;
mod decorators;
mod look_ups;
mod opened;
mod record;
mod seal;
mod told;
mod unit;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use portcullis_domain::ports::{Caller, Callers, SessionStore};
use portcullis_domain::{SessionId, StoreError, UserId};
use tokio::time::Instant;

pub use admissions::RedisAdmissions;
pub use decorators::{CachedLogins, CachedSessions, CachedStore};
pub use seal::CacheKey;

use crate::redis::Answer;
use crate::{Redis, RedisError};
use look_ups::{LookUps, Part, Told};
use opened::OpenedCallers;
use seal::{Bound, Seal};

/// How long a caller is kept at most.
const LEASE: Duration = Duration::from_secs(2);
/// How long a version is remembered after it was last asked for.
const VERSION: Duration = Duration::from_hours(1);

/// Keeps callers in Redis for a moment.
#[derive(Clone)]
pub struct CallerCache {
    redis: Redis,
    seal: Arc<Seal>,
    opened: Arc<OpenedCallers>,
    look_ups: Arc<LookUps>,
    scripts: Arc<Scripts>,
    tally: Arc<Tally>,
}

/// How callers were found so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Redis knew them.
    pub hits: u64,
    /// Redis did not.
    pub misses: u64,
    /// Redis could not be asked, or could not be told.
    pub bypassed: u64,
}

#[derive(Default)]
struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    bypassed: AtomicU64,
}

struct Scripts {
    find: Script,
    keep: Script,
    outdate: Script,
}

/// What Redis knows of a caller.
enum Found {
    Kept(Arc<Caller>),
    /// Nothing, and would like to be told.
    Nothing(Ticket),
    /// Nothing, and is not to be told.
    NotHere,
}

/// What has to hold still when a caller that was read is kept.
struct Ticket {
    process: Arc<str>,
    version: Vec<u8>,
    /// By the clock of Redis, in milliseconds.
    moment: Vec<u8>,
}

impl CallerCache {
    /// A cache on that Redis, sealed with that key, which all instances share.
    #[must_use]
    pub fn new(redis: Redis, key: &CacheKey) -> Self {
        let scripts = Scripts {
            find: Script::new(concat!(include_str!("find.lua"), include_str!("bearer.lua"))),
            keep: Script::new(include_str!("keep.lua")),
            outdate: Script::new("return redis.call('DEL', KEYS[1])"),
        };
        Self {
            redis,
            seal: Arc::new(Seal::new(key)),
            opened: Arc::new(OpenedCallers::new()),
            look_ups: Arc::default(),
            scripts: Arc::new(scripts),
            tally: Arc::default(),
        }
    }

    /// How callers were found so far, by this and all its clones.
    #[must_use]
    pub fn lookups(&self) -> Lookups {
        let Tally { hits, misses, bypassed } = &*self.tally;
        let told = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Lookups { hits: told(hits), misses: told(misses), bypassed: told(bypassed) }
    }

    async fn find(&self, session: SessionId, user: UserId) -> Result<Found, RedisError> {
        let prepare = |process: Option<&str>| {
            let process = process?;
            let mut call = self.scripts.find.key(caller_key(process, session));
            call.key(version_key(process, user));
            // Another one at every try: the first may have been taken, and removed.
            call.arg(seal::random_name()).arg(millis(VERSION)).arg(millis(LEASE));
            Some(call)
        };
        let answer = self.redis.call::<Vec<Vec<u8>>>(prepare).await?;
        Ok(match answer {
            Some(Answer { value, process: Some(process) }) => {
                self.unseal(session, user, process, value)
            }
            _ => Found::NotHere,
        })
    }

    /// What an answer of `find.lua` means.
    fn unseal(
        &self,
        session: SessionId,
        user: UserId,
        process: Arc<str>,
        answer: Vec<Vec<u8>>,
    ) -> Found {
        let mut answer = answer.into_iter();
        let (Some(version), Some(moment)) = (answer.next(), answer.next()) else {
            return Found::NotHere;
        };
        let Some(sealed) = answer.next() else {
            return Found::Nothing(Ticket { process, version, moment });
        };
        let bound = Bound { process: &process, session, version: &version, moment: &moment };
        let caller = self.opened.find(&bound).or_else(|| {
            let caller = Arc::new(self.seal.open(sealed, &bound)?);
            self.opened.remember(&bound, &caller);
            Some(caller)
        });
        // Another key's, or not made by us: nothing.
        match caller.filter(|caller| caller.user.id == user) {
            Some(caller) => Found::Kept(caller),
            None => Found::NotHere,
        }
    }

    /// Keeps a caller that was read after the ticket was given.
    async fn keep(&self, caller: &Caller, ticket: &Ticket) -> Result<(), RedisError> {
        let Ticket { process, version, moment } = ticket;
        let session = caller.session.id;
        let Some(sealed) = self.seal.close(caller, &Bound { process, session, version, moment })
        else {
            return Ok(());
        };
        let prepare = |_: Option<&str>| {
            let mut call = self.scripts.keep.key(caller_key(process, session));
            call.key(version_key(process, caller.user.id));
            call.arg(version).arg(moment).arg(millis(LEASE)).arg(&sealed);
            Some(call)
        };
        self.redis.call::<()>(prepare).await.map(drop)
    }

    /// Removes a user's version; says whether that is known to have happened.
    async fn outdate(&self, user: UserId) -> bool {
        // Over a link that does not say where it leads, nothing is known.
        let prepare =
            |process: Option<&str>| Some(self.scripts.outdate.key(version_key(process?, user)));
        matches!(self.redis.call::<i64>(prepare).await, Ok(Some(_)))
    }

    /// After a change of a user that was stored at or before `since`: returns
    /// when nobody is given what was before. Of a change that shows nobody out
    /// (`is_urgent` is false), a version that cannot be removed is not waited
    /// out: for a lease, others may see a former name.
    pub(crate) async fn changed(&self, user: UserId, is_urgent: bool, since: Instant) {
        if !self.outdate(user).await && is_urgent {
            let a_little = Duration::from_millis(50);
            tokio::time::sleep_until(since + LEASE + a_little).await;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn caller_key(process: &str, session: SessionId) -> String {
    let session = session.as_uuid().hyphenated();
    ["portcullis:", process, ":caller:", session.encode_lower(&mut [0; 36])].concat()
}

fn version_key(process: &str, user: UserId) -> String {
    let user = user.as_uuid().hyphenated();
    ["portcullis:", process, ":version:", user.encode_lower(&mut [0; 36])].concat()
}

/// Callers from Redis where it knows them, from the store otherwise.
#[derive(Clone)]
pub struct CachedCallers {
    inner: Arc<dyn SessionStore>,
    cache: CallerCache,
}

impl CachedCallers {
    /// Keeps that store's callers in that cache. What changes users or sessions
    /// must go through [`CachedStore`], [`CachedSessions`] and [`CachedLogins`].
    #[must_use]
    pub fn new(inner: Arc<dyn SessionStore>, cache: CallerCache) -> Self {
        Self { inner, cache }
    }
}

#[async_trait]
impl Callers for CachedCallers {
    async fn bearer(
        &self,
        session: SessionId,
        user: UserId,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        // Without Redis the store is asked each time.
        let found = self.cache.find(session, user).await.unwrap_or(Found::NotHere);
        self.resolve(session, user, found).await
    }
}

impl CachedCallers {
    /// The caller that was found, or else the store's.
    async fn resolve(
        &self,
        session: SessionId,
        user: UserId,
        found: Found,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let Tally { hits, misses, bypassed } = &*self.cache.tally;
        let counted = match &found {
            Found::Kept(_) => hits,
            Found::Nothing(_) => misses,
            Found::NotHere => bypassed,
        };
        counted.fetch_add(1, Ordering::Relaxed);
        let ticket = match found {
            Found::Kept(caller) => return Ok(Some(caller)),
            Found::Nothing(ticket) => Some(ticket),
            Found::NotHere => None,
        };
        // Apart, so that those who are found do not carry its weight along.
        Box::pin(self.look_up(session, user, ticket)).await
    }

    /// The store's caller, for those who ask at the same time, and kept for those who
    /// come next.
    async fn look_up(
        &self,
        session: SessionId,
        user: UserId,
        ticket: Option<Ticket>,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        let part = ticket.as_ref().map(|ticket| self.cache.look_ups.take_part(session, ticket));
        let lead = match part {
            Some(Part::Follows(follower)) => match follower.told().await {
                Some(Told::Caller(caller)) => return Ok(Some(caller)),
                Some(Told::Unavailable) => {
                    let cause = "it did not answer who looked the same caller up".into();
                    return Err(StoreError::Unavailable(cause));
                }
                None => None,
            },
            Some(Part::Leads(lead)) => Some(lead),
            Some(Part::IsAlone) | None => None,
        };
        let found = self.inner.caller(session).await;
        if let (Some(lead), Err(StoreError::Unavailable(_))) = (&lead, &found) {
            lead.tell(Told::Unavailable);
        }
        let caller = found?.map(Arc::new);
        if let (Some(ticket), Some(caller)) = (ticket, &caller)
            && caller.session.end.is_none()
            && caller.user.id == user
        {
            // At once: those who follow need not wait for Redis as well.
            if let Some(lead) = &lead {
                lead.tell(Told::Caller(Arc::clone(caller)));
            }
            drop(self.cache.keep(caller, &ticket).await);
        }
        Ok(caller)
    }
}
