//! The laws of a rate limiter, over shards.

use std::sync::Arc;

use portcullis_domain::ports::RateLimiter;
use portcullis_example_limiter::ShardedLimiter;

async fn limiter() -> Arc<dyn RateLimiter> {
    Arc::new(ShardedLimiter::new())
}

portcullis_conformance::limiter_laws!(limiter);
