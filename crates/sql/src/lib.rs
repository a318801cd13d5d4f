//! The relational schema, its rows and its queries.
//!
//! Everything that two databases can share stands here once; what is left to
//! an adapter crate is opening connections, migrations and its dialect's
//! settings. [`SqlStore`] implements every storage port over two [`Source`]s
//! of connections, one for writers and one for readers.

mod archive;
mod archive_rows;
mod belongings;
mod connection;
mod enums;
mod error;
mod jobs;
mod logins;
mod queries;
mod rows;
mod schema;
mod store;
mod types;
mod unit;

pub use connection::{Connection, Lease, PoolFigures, STATEMENT_TIMEOUT, Source};
pub use store::SqlStore;
