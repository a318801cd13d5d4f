//! Empty buckets.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_conformance::Bucket;
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_storage::{Local, LocalLinks, S3, S3Settings};
use portcullis_testkit::Moto;
use tempfile::TempDir;

pub(crate) static MOTO: LazyLock<Moto> = LazyLock::new(Moto::start);

/// A bucket in a folder of its own.
pub(crate) async fn local() -> (Local, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let base = "https://auth.example/files".parse().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let links = LocalLinks::new(&vec![7; 32].into(), base, clock).unwrap();
    (Local::open(folder.path().join("bucket"), links).await.unwrap(), folder)
}

pub(crate) async fn local_bucket() -> Bucket {
    let (bucket, folder) = local().await;
    Bucket::of(bucket, folder)
}

/// Settings of an empty bucket of its own in moto.
pub(crate) fn s3_settings() -> S3Settings {
    let name = MOTO.bucket();
    let (key_id, secret) = MOTO.key();
    S3Settings {
        deadline: Duration::from_secs(30),
        ..S3Settings::new(MOTO.url().parse().unwrap(), Moto::REGION, name, key_id, secret.into())
    }
}

/// A bucket of a service that checks no signatures.
pub(crate) fn s3_at(url: &str, deadline: Duration) -> S3 {
    let url = url.parse().unwrap();
    let settings = S3Settings::new(url, Moto::REGION, "bucket", "key-id", "secret".into());
    S3::new(&S3Settings { deadline, ..settings }).unwrap()
}

pub(crate) async fn s3_bucket() -> Bucket {
    Bucket::of(S3::new(&s3_settings()).unwrap(), ())
}
