//! Callers that were looked up a moment ago.
//!
//! # Why nobody who was shown out comes back
//!
//! 1. Every user has a *version* in Redis. A caller is kept together with the
//!    version from before it was read from the database, and is given out only
//!    while the version is still that one.
//! 2. Whoever changes a user or ends a session does so in the database first,
//!    then counts the version up, and only then acknowledges the change.
//! 3. A version that could not be counted up is waited out: a caller is kept
//!    for one *lease* of two seconds from before it was read, and an end or a
//!    new password is acknowledged a lease after it was stored.
//!
//! So after an acknowledged end, what was read before it is of an old version
//! or gone, and what is read after it is ended. Only Redis's own clock is
//! asked, and only for how long something took.
//!
//! What could break this is a Redis that forgets a version and remembers a
//! caller. It is answered by keeping everything under the name of one server
//! process that never evicts keys: what a restart brings back from a disk is
//! under an old name; after a `FLUSHALL` the *generation*, without which
//! nothing is kept, is another. With replicas that may step in, as in a cluster
//! or behind sentinels, no such promise can be had, and callers are always
//! read from the database.
//!
//! Callers are sealed (AES-256-GCM): whoever reads Redis learns no address and
//! no hash, and whoever writes it makes nobody a caller.

mod decorators;
mod record;
mod seal;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use portcullis_domain::ports::{Caller, Callers, SessionStore};
use portcullis_domain::{SessionId, StoreError, UserId};
use tokio::time::Instant;

pub use decorators::{CachedLogins, CachedSessions, CachedStore};
pub use seal::CacheKey;

use crate::redis::Answer;
use crate::{Redis, RedisError};
use seal::Seal;

/// How long a caller is kept at most.
const LEASE: Duration = Duration::from_secs(2);
/// How long a version is remembered after it was counted up: far longer than
/// any caller is kept, also if the clock of Redis is set.
const VERSION: Duration = Duration::from_hours(24);

/// Keeps callers in Redis for a moment.
#[derive(Clone)]
pub struct CallerCache {
    redis: Redis,
    seal: Arc<Seal>,
    scripts: Arc<Scripts>,
}

struct Scripts {
    find: Script,
    keep: Script,
    count_up: Script,
}

/// What Redis knows of a caller.
enum Found {
    Kept(Box<Caller>),
    /// Nothing, and would like to be told.
    Nothing(Ticket),
    /// Nothing, and is not to be told.
    NotHere,
}

/// What has to hold still when a caller that was read is kept.
struct Ticket {
    process: String,
    generation: Vec<u8>,
    version: Vec<u8>,
    /// By the clock of Redis, in milliseconds.
    asked_at: Vec<u8>,
}

impl CallerCache {
    /// A cache on that Redis, sealed with that key, which all instances share.
    #[must_use]
    pub fn new(redis: Redis, key: &CacheKey) -> Self {
        let scripts = Scripts {
            find: Script::new(include_str!("find.lua")),
            keep: Script::new(include_str!("keep.lua")),
            count_up: Script::new(include_str!("count_up.lua")),
        };
        Self { redis, seal: Arc::new(Seal::new(key)), scripts: Arc::new(scripts) }
    }

    async fn find(&self, session: SessionId, user: UserId) -> Result<Found, RedisError> {
        let name = seal::random_name();
        let prepare = |process: Option<&str>| {
            let process = process?;
            let mut call = self.scripts.find.key(caller_key(process, session));
            call.key(version_key(process, user)).key(generation_key(process));
            call.arg(&name).arg(millis(LEASE));
            Some(call)
        };
        let answer = self.redis.call::<Vec<Vec<u8>>>(prepare).await?;
        let Some(Answer { value, process: Some(process) }) = answer else {
            return Ok(Found::NotHere);
        };
        Ok(match <[Vec<u8>; 3]>::try_from(value) {
            Ok([generation, version, asked_at]) => {
                Found::Nothing(Ticket { process, generation, version, asked_at })
            }
            Err(kept) => {
                // Another key's, or not made by us: nothing.
                let opened = kept.first().and_then(|kept| self.seal.open(kept, &process, session));
                match opened.filter(|caller| caller.user.id == user) {
                    Some(caller) => Found::Kept(Box::new(caller)),
                    None => Found::NotHere,
                }
            }
        })
    }

    /// Keeps a caller that was read after the ticket was given.
    async fn keep(&self, caller: &Caller, ticket: &Ticket) -> Result<(), RedisError> {
        let process = &ticket.process;
        let Some(sealed) = self.seal.close(caller, process) else { return Ok(()) };
        let prepare = |_: Option<&str>| {
            let mut call = self.scripts.keep.key(caller_key(process, caller.session.id));
            call.key(version_key(process, caller.user.id)).key(generation_key(process));
            call.arg(&ticket.generation).arg(&ticket.version).arg(&ticket.asked_at);
            call.arg(millis(LEASE)).arg(&sealed);
            Some(call)
        };
        self.redis.call::<()>(prepare).await.map(drop)
    }

    async fn count_up(&self, user: UserId) -> Result<(), RedisError> {
        let prepare = |process: Option<&str>| {
            // A server that keeps no callers needs no versions.
            let mut call = self.scripts.count_up.key(version_key(process?, user));
            call.arg(millis(VERSION));
            Some(call)
        };
        self.redis.call::<()>(prepare).await.map(drop)
    }

    /// After a change of a user that was stored at or before `since`: returns
    /// when nobody is given what was before. Of a change that shows nobody out
    /// (`is_urgent` is false), a version that cannot be counted up is not waited
    /// out: for a lease, others may see a former name.
    pub(crate) async fn changed(&self, user: UserId, is_urgent: bool, since: Instant) {
        if self.count_up(user).await.is_err() && is_urgent {
            let a_little = Duration::from_millis(50);
            tokio::time::sleep_until(since + LEASE + a_little).await;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn caller_key(process: &str, session: SessionId) -> String {
    format!("portcullis:{process}:caller:{}", session.as_uuid())
}

fn version_key(process: &str, user: UserId) -> String {
    format!("portcullis:{process}:version:{}", user.as_uuid())
}

fn generation_key(process: &str) -> String {
    format!("portcullis:{process}:generation")
}

/// Callers from Redis where it knows them, from the store otherwise.
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
    async fn bearer(&self, session: SessionId, user: UserId) -> Result<Option<Caller>, StoreError> {
        let ticket = match self.cache.find(session, user).await {
            Ok(Found::Kept(caller)) => return Ok(Some(*caller)),
            Ok(Found::Nothing(ticket)) => Some(ticket),
            // Without Redis the store is asked each time.
            Ok(Found::NotHere) | Err(_) => None,
        };
        let caller = self.inner.caller(session).await?;
        if let (Some(ticket), Some(caller)) = (ticket, &caller)
            && caller.session.end.is_none()
            && caller.user.id == user
        {
            drop(self.cache.keep(caller, &ticket).await);
        }
        Ok(caller)
    }
}
