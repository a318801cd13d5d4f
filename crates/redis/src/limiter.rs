//! The rate limiter that instances share: an exact sliding window per bucket.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use aws_lc_rs::rand;
use deadpool_redis::redis::Script;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

use crate::Redis;

/// Remembers when each request was let through, in a sorted set per bucket.
/// One call, one key, one atomic step.
pub struct RedisLimiter {
    redis: Redis,
    prefix: String,
    script: Script,
    /// Tells this process's requests from others' of the same microsecond.
    instance: String,
    taken: AtomicU64,
}

impl RedisLimiter {
    /// A limiter on that Redis, whose keys begin with `prefix`.
    #[must_use]
    pub fn new(redis: Redis, prefix: &str) -> Self {
        let mut instance = [0; 8];
        // Should it fail, zeros only make two requests of one microsecond count once.
        let _ = rand::fill(&mut instance);
        Self {
            redis,
            prefix: prefix.to_owned(),
            script: Script::new(include_str!("limiter.lua")),
            instance: format!("{:x}", u64::from_be_bytes(instance)),
            taken: AtomicU64::new(0),
        }
    }
}

/// The one key that a call needs.
fn key(prefix: &str, bucket: Bucket) -> String {
    match bucket {
        Bucket::Strict(network) => format!("{prefix}:limit:strict:{network}"),
        Bucket::General(network) => format!("{prefix}:limit:general:{network}"),
        Bucket::Public(network) => format!("{prefix}:limit:public:{network}"),
        Bucket::User(user) => format!("{prefix}:limit:user:{}", user.as_uuid()),
    }
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let window = i64::try_from(quota.window.as_micros()).unwrap_or(i64::MAX / 2);
        let prepare = |_: Option<&str>| {
            let mut call = self.script.key(key(&self.prefix, bucket));
            call.arg(now.as_micros()).arg(window).arg(quota.limit);
            call.arg(format!("{}-{number:x}", self.instance));
            Some(call)
        };
        let answer = self.redis.call(prepare).await.map_err(|error| LimiterError(error.into()))?;
        let answer = answer.ok_or_else(|| LimiterError("nothing was asked".into()))?;
        let (allowed, taken, oldest): (bool, u32, i64) = answer.value;
        Ok(Verdict {
            allowed,
            limit: quota.limit,
            remaining: quota.limit.saturating_sub(taken),
            reset_at: Timestamp::from_micros(oldest.saturating_add(window)),
        })
    }
}
