//! A service account, and emulators of Google Cloud Storage.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_conformance::Bucket;
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::Timestamp;
use portcullis_google::{AccessTokens, ServiceAccountParts};
use portcullis_simulators::Simulator;
use portcullis_simulators::google::{Bearers, RsaKey, TokenEndpoint};
use portcullis_storage::{Gcs, GcsSettings};
use portcullis_testkit::{FakeGcs, GcpStorageEmulator};

pub(crate) const CLIENT: &str = "server@demo.iam.gserviceaccount.com";
/// 2026-11-22T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_348_800);

pub(crate) static FAKE_GCS: LazyLock<FakeGcs> = LazyLock::new(FakeGcs::start);
pub(crate) static EMULATOR: LazyLock<GcpStorageEmulator> = LazyLock::new(GcpStorageEmulator::start);
static KEY: LazyLock<Arc<RsaKey>> = LazyLock::new(|| Arc::new(RsaKey::generate()));
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An account, and the endpoint that gives it its access tokens.
pub(crate) struct Account {
    pub(crate) endpoint: Simulator<TokenEndpoint>,
    pub(crate) key: Arc<RsaKey>,
}

impl Account {
    pub(crate) fn new() -> Self {
        let key = Arc::clone(&KEY);
        let endpoint = TokenEndpoint::new(Bearers::default(), NOW.as_seconds());
        let endpoint = Simulator::start(endpoint.knowing(CLIENT, Arc::clone(&key)));
        Self { endpoint, key }
    }

    /// Google Cloud Storage at that address, for this account.
    pub(crate) fn storage(&self, url: &str) -> Gcs {
        self.storage_within(url, Duration::from_secs(30))
    }

    /// The same, where a request may take so long.
    pub(crate) fn storage_within(&self, url: &str, deadline: Duration) -> Gcs {
        let token_uri = format!("{}/token", self.endpoint.url());
        storage(url, &self.key.private_pem(), token_uri, deadline)
    }
}

/// Google Cloud Storage at that address, for an account with that key.
pub(crate) fn storage(url: &str, pem: &str, token_uri: String, deadline: Duration) -> Gcs {
    let parts = ServiceAccountParts {
        project_id: Some("demo".into()),
        private_key: Some(pem.into()),
        client_email: Some(CLIENT.into()),
        token_uri: Some(token_uri),
        ..ServiceAccountParts::default()
    };
    let clock = Arc::new(ManualClock::at(NOW));
    let tokens = AccessTokens::new(parts.assemble().unwrap(), clock.clone(), deadline);
    let settings = GcsSettings { deadline, ..GcsSettings::new(url.parse().unwrap()) };
    Gcs::new(settings, Arc::new(tokens.unwrap()), clock).unwrap()
}

/// A name that no other test has.
pub(crate) fn bucket_name() -> String {
    format!("bucket-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn fake_gcs_bucket() -> Bucket {
    let (account, name) = (Account::new(), bucket_name());
    FAKE_GCS.create_bucket(&name);
    let bucket = account.storage(&FAKE_GCS.url()).bucket(&name).unwrap();
    Bucket::of(bucket, account)
}

pub(crate) async fn emulator_bucket() -> Bucket {
    let (account, name) = (Account::new(), bucket_name());
    EMULATOR.create_bucket(&name);
    let bucket = account.storage(&EMULATOR.url()).bucket(&name).unwrap();
    Bucket::of(bucket, account)
}
