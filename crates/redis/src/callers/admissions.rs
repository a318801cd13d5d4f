//! Limits and the caller, in one call.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_redis::redis::{FromRedisValue, ParsingError, Script, Value};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Admission, Admissions, Bucket, Entrant};

use super::{CachedCallers, LEASE, VERSION, caller_key, millis, seal, version_key};
use crate::limiter::{RedisLimiter, Taken, micros, verdict};
use crate::redis::Answer;

/// Asks a Redis that keeps both limits and callers about both at once.
pub struct RedisAdmissions {
    limiter: RedisLimiter,
    callers: CachedCallers,
    script: Script,
}

/// What the script answers, up to a refusal.
struct Told {
    client: Taken,
    own: Option<Taken>,
    caller: Option<Vec<Vec<u8>>>,
}

impl FromRedisValue for Told {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let mut parts = Vec::<Value>::from_redis_value(value)?.into_iter();
        let client = parts.next().unwrap_or(Value::Nil);
        Ok(Self {
            client: FromRedisValue::from_redis_value(client)?,
            own: parts.next().map(FromRedisValue::from_redis_value).transpose()?,
            caller: parts.next().map(FromRedisValue::from_redis_value).transpose()?,
        })
    }
}

impl RedisAdmissions {
    /// Joins a limiter and callers that are on the same Redis.
    #[must_use]
    pub fn new(limiter: RedisLimiter, callers: CachedCallers) -> Self {
        let script = concat!(
            include_str!("../take.lua"),
            include_str!("find.lua"),
            include_str!("admissions.lua")
        );
        Self { limiter, callers, script: Script::new(script) }
    }
}

#[async_trait]
impl Admissions for RedisAdmissions {
    async fn admit(&self, entrant: &Entrant, now: Timestamp) -> Option<Admission> {
        let Entrant { client: (bucket, quota), own, session, user } = *entrant;
        let buckets = self.limiter.buckets();
        let (request, version) = (buckets.name_request(), seal::random_name());
        let prepare = |process: Option<&str>| {
            // Where it is not known who answers, no callers are kept, and keys may
            // belong to several servers.
            let process = process?;
            let mut call = self.script.key(buckets.key(bucket));
            call.key(buckets.key(Bucket::User(user)));
            call.key(caller_key(process, session)).key(version_key(process, user));
            call.arg(now.as_micros()).arg(&request);
            call.arg(micros(quota)).arg(quota.limit).arg(micros(own)).arg(own.limit);
            call.arg(&version).arg(millis(VERSION)).arg(millis(LEASE));
            Some(call)
        };
        let answer = self.limiter.redis().call::<Told>(prepare).await.ok()??;
        let Answer { value: Told { client, own: taken, caller }, process } = answer;
        let client = verdict(quota, client);
        let (Some(taken), Some(process)) = (taken, process) else {
            return Some(Admission::ClientLimited(client));
        };
        let own = verdict(own, taken);
        let Some(caller) = caller else { return Some(Admission::UserLimited(client, own)) };
        let found = self.callers.cache.unseal(session, user, Arc::clone(&process), caller);
        let caller = self.callers.resolve(session, user, found).await;
        Some(Admission::Allowed(client, own, caller))
    }
}
