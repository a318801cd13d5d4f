//! Limiting how often something may be done.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Cause, Timestamp, UserId};

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// Requests that try secrets or send mail, per client network.
    Strict(IpAddr),
    /// Other requests, per client network.
    General(IpAddr),
    /// Requests for public documents, per client network.
    Public(IpAddr),
    /// Authenticated requests, per user.
    User(UserId),
}

/// How many in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// At most this many …
    pub limit: u32,
    /// … in any stretch of time this long.
    pub window: Duration,
}

/// What the limiter decided, and what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the request may go on.
    pub allowed: bool,
    /// The quota's limit.
    pub limit: u32,
    /// How many more would be allowed now.
    pub remaining: u32,
    /// When the oldest counted request leaves the window, and so the next one
    /// is allowed again if none is now.
    pub reset_at: Timestamp,
}

/// The limiter cannot be reached. What that means is its caller's decision.
#[derive(Debug, thiserror::Error)]
#[error("the rate limiter is unavailable")]
pub struct LimiterError(#[source] pub Cause);

/// A sliding window per bucket.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes one from the bucket in one atomic step. A refused request takes
    /// nothing.
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError>;
}
