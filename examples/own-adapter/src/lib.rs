//! An adapter as a team would write its own: a rate limiter in shards.
//!
//! The limiter that comes with the server keeps all clients behind one lock.
//! This one spreads them over many, so that threads rarely wait for each other.
//! `docs/adapters.md` tells how it was written.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

/// More than a machine has threads, so that two rarely meet.
const SHARDS: usize = 64;

/// Clients of a shard at which it first looks for ones it can forget.
const FIRST_SWEEP: usize = 1_024;

/// Counts in process, in shards.
#[derive(Debug)]
pub struct ShardedLimiter {
    shards: Vec<Mutex<Shard>>,
    // Drawn anew at every start: nobody can aim at one shard.
    hasher: RandomState,
}

#[derive(Debug)]
struct Shard {
    windows: HashMap<Bucket, Window>,
    sweep_at: usize,
}

/// When each request was let through, oldest first, and when the last of them
/// stops counting.
#[derive(Debug)]
struct Window {
    taken: VecDeque<Timestamp>,
    empty_at: Timestamp,
}

impl ShardedLimiter {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new() -> Self {
        let shard = || Mutex::new(Shard { windows: HashMap::new(), sweep_at: FIRST_SWEEP });
        Self { shards: (0..SHARDS).map(|_| shard()).collect(), hasher: RandomState::new() }
    }

    fn shard_of(&self, bucket: Bucket) -> &Mutex<Shard> {
        let hash = self.hasher.hash_one(bucket);
        let shards = &self.shards;
        // The remainder is below the number of shards, so it fits.
        &shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)]
    }
}

impl Default for ShardedLimiter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl RateLimiter for ShardedLimiter {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        // One lock from the first look to the last write, and no await under
        // it: whoever is cancelled is so before or after.
        let mut shard = self.shard_of(bucket).lock().unwrap_or_else(PoisonError::into_inner);
        Ok(shard.take(bucket, quota, now))
    }
}

impl Shard {
    fn take(&mut self, bucket: Bucket, quota: Quota, now: Timestamp) -> Verdict {
        self.sweep(now);
        let empty = Window { taken: VecDeque::new(), empty_at: now };
        self.windows.entry(bucket).or_insert(empty).take(quota, now)
    }

    /// Forgets clients that left, now and then: memory follows the number of
    /// clients in one window.
    fn sweep(&mut self, now: Timestamp) {
        if self.windows.len() >= self.sweep_at {
            self.windows.retain(|_, window| now < window.empty_at);
            self.sweep_at = (self.windows.len() * 2).max(FIRST_SWEEP);
        }
    }
}

impl Window {
    fn take(&mut self, quota: Quota, now: Timestamp) -> Verdict {
        // Where the clock stepped back, what was taken later counts as taken now.
        for taken in &mut self.taken {
            *taken = (*taken).min(now);
        }
        while self.taken.front().is_some_and(|taken| *taken + quota.window <= now) {
            self.taken.pop_front();
        }
        let allowed = self.taken.len() < quota.limit as usize;
        if allowed {
            self.taken.push_back(now);
            self.empty_at = now + quota.window;
        }
        let count = u32::try_from(self.taken.len()).unwrap_or(u32::MAX);
        let oldest = self.taken.front().copied().unwrap_or(now);
        Verdict {
            allowed,
            limit: quota.limit,
            remaining: quota.limit.saturating_sub(count),
            reset_at: oldest + quota.window,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[tokio::test]
    async fn clients_that_left_are_forgotten() {
        let limiter = ShardedLimiter::new();
        let quota = Quota { limit: 3, window: Duration::from_mins(1) };
        for client in 0..200_000_u32 {
            let bucket = Bucket::General(Ipv4Addr::from(client).into());
            let now = Timestamp::from_seconds(i64::from(client));
            limiter.take(bucket, quota, now).await.unwrap();
        }
        let known = |shard: &Mutex<Shard>| shard.lock().unwrap().windows.len();
        let most = limiter.shards.iter().map(known).max().unwrap();
        assert!(most <= FIRST_SWEEP, "{most} clients are still known");
    }
}
