//! Redis, asked in bounded time, and left alone for a moment when it fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::{Object, Pool};
use deadpool_redis::redis::{self, FromRedisValue, Script, ScriptInvocation, Value};
use portcullis_domain::Cause;
use portcullis_domain::ports::Auxiliary;
use thread_local::ThreadLocal;
use tokio::sync::watch;
use tracing::{Instrument, Span, debug_span};

use crate::Address;
use crate::link::{ANSWER_PATIENCE, FIND_PATIENCE, Link, Linker};

/// Links of a thread: one carries all that is asked there.
const LINKS: usize = 1;

/// How often Redis is asked whether it is back.
const REST: Duration = Duration::from_millis(500);

/// Refusals of a server that another one has to be asked instead of.
const ELSEWHERE: [&str; 4] = ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN"];

/// The least that tells whether scripts run.
pub(crate) const PING: &str = "return redis.call('PING')";

/// Redis did not do what it was asked, or not in time.
#[derive(Debug, thiserror::Error)]
#[error("Redis does not answer")]
pub struct RedisError(#[source] pub(crate) Cause);

impl RedisError {
    /// Whether waiting may mend it: nobody is there, nobody answers, or the data
    /// are still being read. A login that is refused or a certificate that is not
    /// trusted will stay so.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*self.0);
        while let Some(error) = cause {
            // The driver shares what lies behind its errors.
            let shared = error.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>();
            let error = shared.map_or(error, |shared| &**shared);
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                let is_tls = error.kind() == std::io::ErrorKind::InvalidData;
                return !is_tls;
            }
            let refused = error.downcast_ref::<redis::RedisError>();
            if refused.is_some_and(|error| {
                let is_answer = error.code().is_some() && !is_elsewhere(error);
                is_answer || error.kind() == redis::ErrorKind::AuthenticationFailed
            }) {
                return false;
            }
            cause = error.source();
        }
        true
    }
}

/// Why there is no answer.
enum Unanswered {
    /// It says no: it is there.
    Refused(Cause),
    /// Nobody is there, nobody answers, or who answers cannot help for now.
    Away(Cause),
}

fn is_elsewhere(error: &redis::RedisError) -> bool {
    error.code().is_some_and(|code| ELSEWHERE.contains(&code))
}

/// There can be no connections to that address.
#[derive(Debug, thiserror::Error)]
#[error("Redis cannot be used")]
pub struct OpenError(#[source] Cause);

impl OpenError {
    pub(crate) fn of(cause: Cause) -> Self {
        Self(cause)
    }
}

/// Redis, however it is arranged. Clones share their connections.
///
/// Each thread has a link of its own, which works on that thread: what is asked
/// together is sent together, and no other thread has to be woken for an answer.
#[derive(Clone)]
pub struct Redis {
    address: Arc<Address>,
    pools: Arc<ThreadLocal<Pool<Linker>>>,
    /// Whether it failed and has not answered since; then it is left alone.
    is_away: watch::Sender<bool>,
    is_alone: bool,
}

/// Connections to Redis at a moment. Each carries many requests at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many there may be.
    pub limit: usize,
    /// How many there are.
    pub open: usize,
    /// How many of them nobody uses.
    pub available: usize,
    /// How many borrowers wait for one.
    pub waiting: usize,
}

/// What a script answered, and which server process it was.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) process: Option<Arc<str>>,
}

/// The span of a call within what is traced now, if anything is.
pub(crate) fn call_span() -> Span {
    match Span::current() {
        outside if outside.is_none() => outside,
        _ => debug_span!("redis", otel.kind = "client", db.system.name = "redis"),
    }
}

impl Redis {
    /// Redis at that address. Nothing is connected yet.
    ///
    /// # Errors
    /// [`OpenError`] when the address cannot be used at all.
    pub fn open(address: &Address) -> Result<Self, OpenError> {
        Linker::new(address).map_err(|error| OpenError(error.into()))?;
        Ok(Self {
            address: Arc::new(address.clone()),
            pools: Arc::default(),
            is_away: watch::Sender::new(false),
            is_alone: address.is_alone(),
        })
    }

    /// A link of this thread; others may use it at the same time. Says whether it is
    /// new.
    async fn link(&self) -> Result<(Link, bool), Cause> {
        let pool = self.pools.get_or_try(|| {
            let pool = Pool::builder(Linker::new(&self.address)?)
                .max_size(LINKS)
                .runtime(deadpool::Runtime::Tokio1)
                // Nobody waits for one that is in use, but for one that is being made.
                .wait_timeout(Some(FIND_PATIENCE))
                .create_timeout(Some(FIND_PATIENCE))
                .build()?;
            Ok::<_, Cause>(pool)
        })?;
        let link = pool.get().await?;
        let is_new = Object::metrics(&link).recycled.is_none();
        Ok((Link::clone(&link), is_new))
    }

    /// Closes the links that are those, once whoever still waits for an answer has
    /// given up.
    fn close(&self, are_meant: impl Fn(&Link) -> bool) {
        for pool in self.pools.iter() {
            pool.retain(|link, _| !are_meant(link));
        }
    }

    /// Whether one server answers for every key.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// How its connections are doing at this moment, those of all threads that have
    /// asked so far.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let none = Connections { limit: 0, open: 0, available: 0, waiting: 0 };
        self.pools.iter().map(Pool::status).fold(none, |sum, status| Connections {
            limit: sum.limit + status.max_size,
            open: sum.open + status.size,
            available: sum.available + status.available,
            waiting: sum.waiting + status.waiting,
        })
    }

    /// Asks for a sign of life: whether it runs scripts, since it is asked
    /// nothing else.
    ///
    /// # Errors
    /// [`RedisError`] when there is none in time.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let script = Script::new(PING);
        self.call::<Value>(|_| Some(script.prepare_invoke())).await.map(drop)
    }

    /// Calls a script over some link. Not at all while Redis is away, and not if
    /// there is nothing to call, given the link's server process.
    pub(crate) async fn call<'a, T: FromRedisValue + Send>(
        &self,
        prepare: impl Fn(Option<&str>) -> Option<ScriptInvocation<'a>> + Send + Sync,
    ) -> Result<Option<Answer<T>>, RedisError> {
        let span = call_span();
        let mut is_away = self.is_away.subscribe();
        // Who waits while another finds out waits no longer.
        let answer = tokio::select! {
            biased;
            _ = is_away.wait_for(|is_away| *is_away) => {
                return Err(RedisError("it failed a moment ago".into()));
            }
            answer = self.ask(prepare).instrument(span) => answer,
        };
        answer.map_err(|error| match error {
            Unanswered::Refused(cause) => RedisError(cause),
            Unanswered::Away(cause) => {
                self.leave_alone(&cause);
                RedisError(cause)
            }
        })
    }

    /// Calls a script; a second time over a new link, if an old one turns out to
    /// be broken. One that is silent is not tried again: that would take as long.
    async fn ask<'a, T: FromRedisValue + Send>(
        &self,
        prepare: impl Fn(Option<&str>) -> Option<ScriptInvocation<'a>> + Send + Sync,
    ) -> Result<Option<Answer<T>>, Unanswered> {
        loop {
            let (mut link, is_new) = self.link().await.map_err(Unanswered::Away)?;
            let Some(invocation) = prepare(link.process.as_deref()) else { return Ok(None) };
            let answer = invocation.invoke_async(&mut link);
            let (cause, is_broken) = match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
                Ok(Ok(value)) => {
                    return Ok(Some(Answer { value, process: link.process }));
                }
                // A refusal is an answer: Redis is there, though not as it should be.
                Ok(Err(error)) if is_elsewhere(&error) => {
                    self.close(|other| other.is(&link));
                    return Err(Unanswered::Away(error.into()));
                }
                Ok(Err(error)) if error.code().is_some() => {
                    return Err(Unanswered::Refused(error.into()));
                }
                Ok(Err(error)) => {
                    let is_late = error.is_timeout();
                    (Cause::from(error), !is_late)
                }
                Err(late) => (Cause::from(late), false),
            };
            // What is left of a connection that failed is of no use.
            self.close(|other| other.is(&link));
            if is_new || !is_broken {
                return Err(Unanswered::Away(cause));
            }
        }
    }

    /// From now on nobody asks but one task, until it has an answer: an outage
    /// costs requests next to nothing, and its end is noticed at once.
    fn leave_alone(&self, cause: &Cause) {
        if self.is_away.send_replace(true) {
            return;
        }
        tracing::warn!(cause = %cause, "Redis does not answer");
        let redis = self.clone();
        tokio::spawn(async move {
            let script = Script::new(PING);
            loop {
                tokio::time::sleep(REST).await;
                // What others left behind may lead nowhere.
                redis.close(|_| true);
                match redis.ask::<Value>(|_| Some(script.prepare_invoke())).await {
                    Ok(_) | Err(Unanswered::Refused(_)) => break,
                    Err(Unanswered::Away(cause)) => {
                        tracing::debug!(cause = %cause, "Redis still does not answer");
                    }
                }
            }
            tracing::info!("Redis answers again");
            redis.is_away.send_replace(false);
        });
    }
}

/// As `/health` asks after it.
#[async_trait]
impl Auxiliary for Redis {
    async fn ping(&self) -> Result<(), Cause> {
        self.ping().await.map_err(Into::into)
    }
}
