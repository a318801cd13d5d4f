//! The shared durable store: Postgres.
//!
//! The driver is pure Rust; nothing of Postgres needs to be installed beside
//! the program. Several instances on one database behave as one: every rule
//! that must hold between them is held by a statement or a row lock, none by
//! memory.

mod address;
mod clock;
mod connect;
mod inspection;
mod migrations;
mod pool;
mod pooler;
mod tls;

use std::sync::Arc;

use portcullis_sql::SqlStore;

pub use address::{Address, AddressError, Encryption};
pub use clock::DatabaseClock;
pub use connect::{ConnectError, Unconnected};
pub use inspection::{Inspection, inspect};
#[doc(hidden)]
pub use migrations::revert;
pub use migrations::{MigrationError, Schema, migrate};
pub use pool::OpenError;

/// A store on that database, which has been [`migrate`]d before, over at most
/// so many connections. Connections are made when they are needed.
///
/// # Errors
/// [`OpenError`] when the pool cannot be built.
pub fn open(address: &Address, connections: usize) -> Result<SqlStore, OpenError> {
    let pool = Arc::new(pool::Pool::new(address, connections.max(1))?);
    Ok(SqlStore::new(pool.clone(), pool))
}
