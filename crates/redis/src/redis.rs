//! Redis, asked in bounded time, and left alone for a moment when it fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deadpool::managed::{Object, Pool};
use deadpool_redis::redis::{self, FromRedisValue, Script, ScriptInvocation, Value};
use portcullis_domain::Cause;
use portcullis_domain::ports::Auxiliary;
use tokio::time::Instant;

use crate::Address;
use crate::link::{ANSWER_PATIENCE, FIND_PATIENCE, Linker};

/// Connections; each carries many requests at once.
const CONNECTIONS: usize = 16;

/// How long Redis is left alone after it failed, so that an outage costs each
/// request next to nothing and its end is noticed at once.
const REST: Duration = Duration::from_millis(500);

/// Refusals of a server that another one has to be asked instead of.
const ELSEWHERE: [&str; 4] = ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN"];

/// Redis did not do what it was asked, or not in time.
#[derive(Debug, thiserror::Error)]
#[error("Redis does not answer")]
pub struct RedisError(#[source] pub(crate) Cause);

impl RedisError {
    /// Whether waiting may mend it: nobody is there, or nobody answers. A login
    /// that is refused or a certificate that is not trusted will stay so.
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
                error.code().is_some() || error.kind() == redis::ErrorKind::AuthenticationFailed
            }) {
                return false;
            }
            cause = error.source();
        }
        true
    }
}

/// There can be no connections to that address.
#[derive(Debug, thiserror::Error)]
#[error("Redis cannot be used")]
pub struct OpenError(#[source] Cause);

/// Redis, however it is arranged. Clones share their connections.
#[derive(Clone)]
pub struct Redis {
    pool: Pool<Linker>,
    rest: Arc<Rest>,
    is_alone: bool,
}

/// What a script answered, and which server process it was.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) process: Option<String>,
}

/// Until when Redis is left alone, in milliseconds since the start; zero while
/// it answers.
struct Rest {
    started: Instant,
    until: AtomicU64,
}

impl Rest {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn later(&self) -> u64 {
        self.now() + u64::try_from(REST.as_millis()).unwrap_or(0)
    }

    /// Whether to ask. After a rest one asks first, and the others rest on until
    /// it has an answer: a server that hangs holds up one at a time.
    fn lets_ask(&self) -> bool {
        match self.until.load(Ordering::Relaxed) {
            0 => true,
            until if self.now() < until => false,
            until => {
                let later = self.later();
                let order = Ordering::Relaxed;
                self.until.compare_exchange(until, later, order, order).is_ok()
            }
        }
    }

    fn begin(&self) {
        self.until.store(self.later(), Ordering::Relaxed);
    }

    fn end(&self) {
        self.until.store(0, Ordering::Relaxed);
    }
}

impl Redis {
    /// Redis at that address. Nothing is connected yet.
    ///
    /// # Errors
    /// [`OpenError`] when the address cannot be used at all.
    pub fn open(address: &Address) -> Result<Self, OpenError> {
        let linker = Linker::new(address).map_err(|error| OpenError(error.into()))?;
        let pool = Pool::builder(linker)
            .max_size(CONNECTIONS)
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(ANSWER_PATIENCE))
            .create_timeout(Some(FIND_PATIENCE))
            .build()
            .map_err(|error| OpenError(error.into()))?;
        let rest = Rest { started: Instant::now(), until: AtomicU64::new(0) };
        Ok(Self { pool, rest: Arc::new(rest), is_alone: address.is_alone() })
    }

    /// Whether one server answers for every key.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Asks for a sign of life: whether it runs scripts, since it is asked
    /// nothing else.
    ///
    /// # Errors
    /// [`RedisError`] when there is none in time.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let script = Script::new("return redis.call('PING')");
        self.call::<Value>(|_| Some(script.prepare_invoke())).await.map(drop)
    }

    /// Calls a script over some link; a second time over a new one, if an old
    /// link turns out to be broken. Not at all while Redis is left alone, and
    /// not if there is nothing to call, given the link's server process.
    pub(crate) async fn call<'a, T: FromRedisValue + Send>(
        &self,
        prepare: impl Fn(Option<&str>) -> Option<ScriptInvocation<'a>> + Send + Sync,
    ) -> Result<Option<Answer<T>>, RedisError> {
        if !self.rest.lets_ask() {
            return Err(RedisError("it failed a moment ago".into()));
        }
        loop {
            let mut link = self.pool.get().await.map_err(|error| self.failed(error.into()))?;
            let is_old = Object::metrics(&link).recycled.is_some();
            let Some(invocation) = prepare(link.process.as_deref()) else {
                // After a rest the link is a new one: Redis is there.
                self.rest.end();
                return Ok(None);
            };
            let answer = invocation.invoke_async(&mut *link);
            let cause = match tokio::time::timeout(ANSWER_PATIENCE, answer).await {
                Ok(Ok(value)) => {
                    self.rest.end();
                    return Ok(Some(Answer { value, process: link.process.clone() }));
                }
                // A refusal is an answer: Redis is there, though not as it should be.
                Ok(Err(error)) if error.code().is_some() => {
                    self.rest.end();
                    if error.code().is_some_and(|code| ELSEWHERE.contains(&code)) {
                        drop(Object::take(link));
                    }
                    return Err(RedisError(error.into()));
                }
                Ok(Err(error)) => Cause::from(error),
                Err(late) => Cause::from(late),
            };
            // What is left of a connection that failed is of no use, and others
            // that are idle lead to the same place.
            drop(Object::take(link));
            self.pool.retain(|_, _| false);
            if !is_old {
                return Err(self.failed(cause));
            }
        }
    }

    fn failed(&self, cause: Cause) -> RedisError {
        tracing::warn!(cause = %cause, "Redis does not answer");
        self.rest.begin();
        RedisError(cause)
    }
}

/// As `/health` asks after it.
#[async_trait]
impl Auxiliary for Redis {
    async fn ping(&self) -> Result<(), Cause> {
        self.ping().await.map_err(Into::into)
    }
}
