//! Laws of a rate limiter.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, Quota, RateLimiter, Verdict};

use crate::build::{START, TICK, source, user_id};
use crate::race::race;

const QUOTA: Quota = Quota { limit: 3, window: Duration::from_mins(1) };

fn bucket() -> Bucket {
    Bucket::Strict(source(1).network())
}

async fn take(limiter: &Arc<dyn RateLimiter>, at: Timestamp) -> Verdict {
    limiter.take(bucket(), QUOTA, at).await.unwrap()
}

/// As many as the limit says.
pub async fn the_limit_passes_and_not_one_more(limiter: &Arc<dyn RateLimiter>) {
    for number in 0..6 {
        assert_eq!(take(limiter, START).await.allowed, number < QUOTA.limit, "{number}");
    }
}

/// Each request counts for exactly one window from its own moment: no burst at
/// the edge of a fixed one.
pub async fn the_window_slides(limiter: &Arc<dyn RateLimiter>) {
    let second = Duration::from_secs(1);
    for number in 0..3 {
        assert!(take(limiter, START + second * number).await.allowed, "{number}: too few");
    }
    for number in 0..3 {
        let leaves = START + second * number + QUOTA.window;
        assert!(!take(limiter, leaves - TICK).await.allowed, "{number}: a moment too early");
        assert!(take(limiter, leaves).await.allowed, "{number}: at its time");
    }
}

/// Trying while refused does not push the end further away.
pub async fn a_refused_request_takes_nothing(limiter: &Arc<dyn RateLimiter>) {
    for _ in 0..3 {
        take(limiter, START).await;
    }
    for number in 1..100 {
        assert!(!take(limiter, START + TICK * number).await.allowed, "{number}: too many");
    }
    assert!(take(limiter, START + QUOTA.window).await.allowed, "trying made it longer");
}

/// Taking is one atomic step.
pub async fn of_200_parallel_requests_the_limit_passes(limiter: &Arc<dyn RateLimiter>) {
    let verdicts = race(200, |_| {
        let limiter = Arc::clone(limiter);
        async move { take(&limiter, START).await }
    })
    .await;
    let passed = verdicts.iter().filter(|verdict| verdict.allowed).count();
    assert_eq!(passed, QUOTA.limit as usize);
}

/// Tiers, clients and users are counted apart.
pub async fn buckets_do_not_touch_each_other(limiter: &Arc<dyn RateLimiter>) {
    let network = source(1).network();
    let buckets = [
        Bucket::Strict(network),
        Bucket::General(network),
        Bucket::Public(network),
        Bucket::Strict(source(2).network()),
        Bucket::User(user_id()),
        Bucket::User(user_id()),
    ];
    for bucket in buckets {
        for _ in 0..3 {
            assert!(limiter.take(bucket, QUOTA, START).await.unwrap().allowed, "{bucket:?}");
        }
        assert!(!limiter.take(bucket, QUOTA, START).await.unwrap().allowed, "{bucket:?}");
    }
}

/// The headers that clients see are true.
pub async fn what_is_left_and_when_it_returns_is_told_truly(limiter: &Arc<dyn RateLimiter>) {
    let second = Duration::from_secs(1);
    let reset_at = START + QUOTA.window;
    for (number, remaining, allowed) in
        [(0, 2, true), (1, 1, true), (2, 0, true), (3, 0, false), (4, 0, false)]
    {
        let verdict = take(limiter, START + second * number).await;
        assert_eq!(verdict, Verdict { allowed, limit: 3, remaining, reset_at }, "{number}");
    }
    let verdict = take(limiter, reset_at).await;
    let next = reset_at + second;
    assert_eq!(verdict, Verdict { allowed: true, limit: 3, remaining: 0, reset_at: next });
}

/// An hour back on the clock does not mean an hour outside.
pub async fn a_clock_that_steps_back_shuts_nobody_out_for_longer_than_a_window(
    limiter: &Arc<dyn RateLimiter>,
) {
    for _ in 0..3 {
        take(limiter, START).await;
    }
    let back = START - Duration::from_hours(1);
    assert!(!take(limiter, back).await.allowed, "all is forgotten");
    assert!(take(limiter, back + QUOTA.window).await.allowed, "still shut out, a window later");
}
