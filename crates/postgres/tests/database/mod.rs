//! A migrated database of one's own.

use portcullis_postgres::Address;
use portcullis_testkit::Postgres;

/// The address of a new database of this version's schema, with nothing in it.
pub(crate) fn fresh_url() -> String {
    Postgres::shared().database_like("portcullis", |template| {
        let address: Address = template.parse().unwrap();
        // A thread of its own, since a test's runtime cannot wait for another.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(portcullis_postgres::migrate(&address)).unwrap();
        })
        .join()
        .unwrap();
    })
}
