//! The laws of every storage port over `SQLite`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_conformance::Stores;

async fn store() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    portcullis_sqlite::migrate(&file).unwrap();
    Stores::of(portcullis_sqlite::open(&file, 4).unwrap(), folder)
}

portcullis_conformance::store_laws!(store);
