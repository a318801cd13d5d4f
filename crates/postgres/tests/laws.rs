//! The laws of every storage port over Postgres.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_conformance::Stores;

mod database;
mod outages;

async fn store() -> Stores {
    Stores::of(portcullis_postgres::open(&database::fresh_url().parse().unwrap(), 20).unwrap(), ())
}

portcullis_conformance::store_laws!(store);
