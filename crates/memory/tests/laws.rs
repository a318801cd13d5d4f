//! The laws of every port over memory.

use std::sync::Arc;

use portcullis_conformance::Stores;
use portcullis_domain::ports::RateLimiter;
use portcullis_memory::{MemoryLimiter, MemoryStore};

async fn store() -> Stores {
    Stores::of(MemoryStore::new(), ())
}

async fn limiter() -> Arc<dyn RateLimiter> {
    Arc::new(MemoryLimiter::new())
}

portcullis_conformance::store_laws!(store);
portcullis_conformance::limiter_laws!(limiter);
