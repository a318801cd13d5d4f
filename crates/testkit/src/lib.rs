//! Throw-away servers for tests, on free loopback ports.
//!
//! Each ends with the value that started it, and at the latest with the
//! process, however that ends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking"
)]

mod child;
mod emulator;
mod fault_proxy;
mod held_port;
mod http;
mod mail_api;
mod nginx;
mod pgbouncer;
mod port;
mod postgres;
mod redis;
mod smtp;
mod trace_collector;

pub use emulator::{FakeGcs, FirebaseEmulator, GcpStorageEmulator, Moto, Rotel, TokenIssuer};
pub use fault_proxy::{Fault, FaultProxy};
pub use mail_api::{ApiAnswer, ApiMail, MailApi};
pub use nginx::Nginx;
pub use pgbouncer::{PgBouncer, PoolMode};
pub use port::free_port;
pub use postgres::{Ending, Postgres, PostgresSession};
pub use redis::{Redis, RedisCluster, RedisSentinel};
pub use smtp::{Aiosmtpd, Certificates, Encryption, Reaction, SmtpMessage, SmtpSink, Step};
pub use trace_collector::{CollectedSpan, TraceCollector};
