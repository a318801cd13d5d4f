//! The program on the backends of production: Postgres, Redis, `PgBouncer`,
//! SMTP servers and mail APIs, together and when one of them is away.
//!
//! Every test has a database of its own, and a Redis of its own where limits
//! are counted in it. Servers that are missing fail a test with a sentence.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod backends;
mod cheap;
mod cutting;
mod hostile;
mod indistinguishable;
mod instances;
mod journal;
mod kept;
mod letterbox;
mod login;
mod outages;
mod outbox;
mod pgbouncer;
mod planted;
mod revocations;
mod sessions;
mod start;
mod starved;
mod statements;
mod stories;
