//! What instances share besides the database: rate limits, and callers that
//! were looked up a moment ago.
//!
//! Redis is never the truth. When it is away, slow, empty, restored from an old
//! copy or replaced by a replica that lags, limits fall back and callers are
//! read from the database; nobody is let in who was shown out.

mod address;
mod callers;
mod inspection;
mod limiter;
mod link;
mod redis;

pub use address::{Address, AddressError};
pub use callers::{
    CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache, Lookups,
    RedisAdmissions,
};
pub use inspection::{Inspection, InspectionError, inspect};
pub use limiter::RedisLimiter;
pub use redis::{Connections, OpenError, Redis, RedisError};
