//! Jobs that another version wrote.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use portcullis_conformance::build::{START, job, notice};
use portcullis_domain::ports::{JobQueue, Lease};
use portcullis_domain::{NewJob, UnknownJob};
use portcullis_sqlite::{migrate, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_this_version_does_not_know_is_told_as_such_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let (newer, damaged, good) = (job(notice()), job(notice()), job(notice()));
    let mut raw = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    for (new, change) in [(&newer, "kind = 'make_coffee'"), (&damaged, "payload = 'x'")] {
        assert!(store.enqueue(new.clone()).await.unwrap());
        // The others are as they were: they are no longer these.
        let only_new = "WHERE kind = 'sign_in_notice' AND payload <> 'x'";
        raw.batch_execute(&format!("UPDATE jobs SET {change} {only_new}")).unwrap();
    }
    assert!(store.enqueue(good.clone()).await.unwrap());

    let lease = Lease { duration: Duration::from_mins(1), limit: 10 };
    let claims = store.claim(START, lease).await.unwrap();
    let listed = store.list(false, 10).await.unwrap();
    let unknown = |kind: &str| Err(UnknownJob { kind: kind.to_owned() });
    for (NewJob { id, job, .. }, read) in [
        (&newer, unknown("make_coffee")),
        (&damaged, unknown("sign_in_notice")),
        (&good, Ok(good.job.clone())),
    ] {
        let claimed = claims.iter().find(|claim| claim.id == *id).unwrap();
        assert_eq!(claimed.job, read, "{job:?}");
        let owed = listed.iter().find(|owed| owed.id == *id).unwrap();
        assert_eq!(owed.job, read, "{job:?}");
    }
}
