//! The rate limiter that instances share: an exact sliding window per bucket.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use aws_lc_rs::rand;
use deadpool_redis::redis::Script;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

use crate::Redis;

/// Remembers when each request was let through, in a sorted set per bucket.
/// One call, one key, one atomic step.
#[derive(Clone)]
pub struct RedisLimiter {
    redis: Redis,
    script: Arc<Script>,
    buckets: Arc<Buckets>,
}

/// How buckets and the requests in them are named.
pub(crate) struct Buckets {
    prefix: String,
    /// Tells this process's requests from others' of the same microsecond.
    instance: String,
    taken: AtomicU64,
}

/// A bucket's answer: whether it allows, how many it holds, the oldest one's time.
pub(crate) type Taken = (bool, u32, i64);

impl RedisLimiter {
    /// A limiter on that Redis, whose keys begin with `prefix`.
    #[must_use]
    pub fn new(redis: Redis, prefix: &str) -> Self {
        let mut instance = [0; 8];
        // Should it fail, zeros only make two requests of one microsecond count once.
        let _ = rand::fill(&mut instance);
        let script = concat!(include_str!("take.lua"), include_str!("limiter.lua"));
        let buckets = Buckets {
            prefix: prefix.to_owned(),
            instance: format!("{:x}", u64::from_be_bytes(instance)),
            taken: AtomicU64::new(0),
        };
        Self { redis, script: Arc::new(Script::new(script)), buckets: Arc::new(buckets) }
    }

    pub(crate) fn redis(&self) -> &Redis {
        &self.redis
    }

    pub(crate) fn buckets(&self) -> &Buckets {
        &self.buckets
    }
}

impl Buckets {
    /// The one key of a bucket.
    pub(crate) fn key(&self, bucket: Bucket) -> String {
        let of_network = |tier: &str, network: IpAddr| {
            [&self.prefix, ":limit:", tier, ":", &network.to_string()].concat()
        };
        match bucket {
            Bucket::Strict(network) => of_network("strict", network),
            Bucket::General(network) => of_network("general", network),
            Bucket::Public(network) => of_network("public", network),
            Bucket::User(user) => {
                let user = user.as_uuid().hyphenated();
                [&self.prefix, ":limit:user:", user.encode_lower(&mut [0; 36])].concat()
            }
        }
    }

    /// A name for a request, which no other has.
    pub(crate) fn name_request(&self) -> String {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        format!("{}-{number:x}", self.instance)
    }
}

/// A quota's window in microseconds.
pub(crate) fn micros(quota: Quota) -> i64 {
    i64::try_from(quota.window.as_micros()).unwrap_or(i64::MAX / 2)
}

/// What a bucket's answer means.
pub(crate) fn verdict(quota: Quota, (allowed, taken, oldest): Taken) -> Verdict {
    Verdict {
        allowed,
        limit: quota.limit,
        remaining: quota.limit.saturating_sub(taken),
        reset_at: Timestamp::from_micros(oldest.saturating_add(micros(quota))),
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
        let name = self.buckets.name_request();
        let prepare = |_: Option<&str>| {
            let mut call = self.script.key(self.buckets.key(bucket));
            call.arg(now.as_micros()).arg(micros(quota)).arg(quota.limit).arg(&name);
            Some(call)
        };
        let answer = self.redis.call(prepare).await.map_err(|error| LimiterError(error.into()))?;
        let answer = answer.ok_or_else(|| LimiterError("nothing was asked".into()))?;
        Ok(verdict(quota, answer.value))
    }
}
