//! Limits and callers, in one call for all who ask at the same time.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Admission, Admissions, Bucket, Entrant};
use thread_local::ThreadLocal;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::told::Told;
use super::{CachedCallers, LEASE, VERSION, caller_key, millis, seal, version_key};
use crate::limiter::{RedisLimiter, micros, verdict};
use crate::redis::{Answer, call_span};

/// How many ask in one call at most: a script keeps all others waiting, some 20 µs
/// for each who asks.
const AT_ONCE: usize = 32;

/// Asks a Redis that keeps both limits and callers about both at once.
///
/// Those whom a thread works on at the same time ask in one call: what a call costs
/// in the driver, and in Redis around its commands, is then shared. Nobody waits for
/// company: the call is made as soon as the thread has done what it has at hand.
pub struct RedisAdmissions(Arc<Desk>);

struct Desk {
    limiter: RedisLimiter,
    callers: CachedCallers,
    script: Script,
    /// Those of a thread who have come since its last call.
    waiting: ThreadLocal<Arc<Mutex<Vec<Waiting>>>>,
}

struct Waiting {
    entrant: Entrant,
    now: Timestamp,
    told: oneshot::Sender<(Told, Arc<str>)>,
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
        let script = Script::new(script);
        Self(Arc::new(Desk { limiter, callers, script, waiting: ThreadLocal::new() }))
    }
}

#[async_trait]
impl Admissions for RedisAdmissions {
    async fn admit(&self, entrant: &Entrant, now: Timestamp) -> Option<Admission> {
        let Entrant { client: (_, quota), own, session, user } = *entrant;
        let answer = self.0.ask(*entrant, now);
        let (told, process) = answer.instrument(call_span()).await.ok()?;
        let client = verdict(quota, told.client);
        let Some(taken) = told.own else { return Some(Admission::ClientLimited(client)) };
        let own = verdict(own, taken);
        let Some(caller) = told.caller else { return Some(Admission::UserLimited(client, own)) };
        let callers = &self.0.callers;
        let found = callers.cache.unseal(session, user, process, caller);
        let caller = callers.resolve(session, user, found).await;
        Some(Admission::Allowed(client, own, caller))
    }
}

impl Desk {
    /// The answer closes without one when there is none.
    fn ask(
        self: &Arc<Self>,
        entrant: Entrant,
        now: Timestamp,
    ) -> oneshot::Receiver<(Told, Arc<str>)> {
        let (told, answer) = oneshot::channel();
        let here = self.waiting.get_or_default();
        let mut waiting = here.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(Waiting { entrant, now, told });
        // The first calls for all. In a task of its own: who asks may leave, and the
        // task has its turn after all that can go on now.
        if waiting.len() == 1 {
            tokio::spawn(Arc::clone(self).call_for(Arc::clone(here)));
        }
        answer
    }

    async fn call_for(self: Arc<Self>, here: Arc<Mutex<Vec<Waiting>>>) {
        let mut waiting = mem::take(&mut *here.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.retain(|waiting| !waiting.told.is_closed());
        while waiting.len() > AT_ONCE {
            let others = waiting.split_off(AT_ONCE);
            let group = mem::replace(&mut waiting, others);
            let desk = Arc::clone(&self);
            tokio::spawn(async move { desk.call(group).await });
        }
        if !waiting.is_empty() {
            self.call(waiting).await;
        }
    }

    async fn call(&self, group: Vec<Waiting>) {
        let buckets = self.limiter.buckets();
        let requests = buckets.name_request();
        let prepare = |process: Option<&str>| {
            // Where it is not known who answers, no callers are kept, and keys may
            // belong to several servers.
            let process = process?;
            let mut call = self.script.prepare_invoke();
            call.arg(&requests).arg(seal::random_name()).arg(millis(VERSION)).arg(millis(LEASE));
            for Waiting { entrant, now, .. } in &group {
                let Entrant { client: (bucket, quota), own, session, user } = *entrant;
                call.key(buckets.key(bucket)).key(buckets.key(Bucket::User(user)));
                call.key(caller_key(process, session)).key(version_key(process, user));
                call.arg(now.as_micros()).arg(micros(quota)).arg(quota.limit);
                call.arg(micros(own)).arg(own.limit);
            }
            Some(call)
        };
        let answer = self.limiter.redis().call::<Vec<Vec<u8>>>(prepare).await;
        let Ok(Some(Answer { value, process: Some(process) })) = answer else { return };
        for (Waiting { told, .. }, text) in group.into_iter().zip(value) {
            if let Some(answer) = Told::of(&text) {
                // Who has left is told nothing.
                drop(told.send((answer, Arc::clone(&process))));
            }
        }
    }
}
