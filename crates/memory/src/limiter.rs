//! The rate limiter of one process: an exact sliding window per bucket.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

/// Buckets at which the limiter first looks for ones it can forget.
const FIRST_SWEEP: usize = 4_096;

/// Remembers when each request was let through.
///
/// It never allows more than the limit in any window, at the price of one
/// timestamp per allowed request. Buckets whose last window has passed are
/// forgotten, so memory follows the number of clients in one window.
#[derive(Debug)]
pub struct MemoryLimiter {
    windows: Mutex<Windows>,
}

#[derive(Debug)]
struct Windows {
    buckets: HashMap<Bucket, Window>,
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Window {
    taken: VecDeque<Timestamp>,
    empty_at: Option<Timestamp>,
}

impl MemoryLimiter {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new() -> Self {
        let windows = Windows { buckets: HashMap::new(), sweep_at: FIRST_SWEEP };
        Self { windows: Mutex::new(windows) }
    }
}

impl Default for MemoryLimiter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl RateLimiter for MemoryLimiter {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        // A panic elsewhere leaves at worst one timestamp too few or too many.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.sweep(now);
        Ok(windows.buckets.entry(bucket).or_default().take(quota, now))
    }
}

impl Windows {
    fn sweep(&mut self, now: Timestamp) {
        if self.buckets.len() < self.sweep_at {
            return;
        }
        self.buckets.retain(|_, window| window.empty_at.is_some_and(|at| now < at));
        self.sweep_at = (self.buckets.len() * 2).max(FIRST_SWEEP);
    }
}

impl Window {
    fn take(&mut self, quota: Quota, now: Timestamp) -> Verdict {
        // A clock that stepped back must not shut anybody out for longer than
        // a window: what was taken in the future counts as taken now.
        for taken in &mut self.taken {
            *taken = (*taken).min(now);
        }
        while self.taken.front().is_some_and(|taken| *taken + quota.window <= now) {
            self.taken.pop_front();
        }
        let limit = quota.limit as usize;
        let allowed = self.taken.len() < limit;
        if allowed {
            self.taken.push_back(now);
            self.empty_at = Some(now + quota.window);
        }
        let oldest = self.taken.front().copied().unwrap_or(now);
        Verdict {
            allowed,
            limit: quota.limit,
            remaining: u32::try_from(limit.saturating_sub(self.taken.len())).unwrap_or(0),
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
    async fn lg_14_a_client_over_the_limit_is_not_forgotten_for_many_others() {
        let limiter = MemoryLimiter::new();
        let quota = Quota { limit: 3, window: Duration::from_mins(1) };
        let now = Timestamp::from_seconds(0);
        let client = Bucket::Strict(Ipv4Addr::LOCALHOST.into());
        for _ in 0..3 {
            assert!(limiter.take(client, quota, now).await.unwrap().allowed);
        }
        for other in 0..100_000_u32 {
            let other = Bucket::Strict(Ipv4Addr::from(other).into());
            limiter.take(other, quota, now).await.unwrap();
        }
        assert!(!limiter.take(client, quota, now).await.unwrap().allowed);
    }

    #[tokio::test]
    async fn do_10_clients_that_left_are_forgotten() {
        let limiter = MemoryLimiter::new();
        let quota = Quota { limit: 3, window: Duration::from_mins(1) };
        for client in 0..20_000_u32 {
            let bucket = Bucket::General(Ipv4Addr::from(client).into());
            let now = Timestamp::from_seconds(i64::from(client));
            limiter.take(bucket, quota, now).await.unwrap();
        }
        let known = limiter.windows.lock().unwrap().buckets.len();
        assert!(known <= FIRST_SWEEP, "{known} buckets are still known");
    }
}
