//! An app that sells something, and its adapter.

use std::sync::Arc;
use std::time::Duration;

use portcullis_appstore::{AppStore, AppStoreSettings};
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Flaw, PurchaseError};
use portcullis_domain::purchase::{
    AppStoreEnvironment, OriginalTransactionId, SignedPayload, TransactionId,
};
use portcullis_simulators::Simulator;
use portcullis_simulators::app_store::{self as simulated, Authority, Purchase, now};
use tempfile::TempDir;

pub(crate) const BUNDLE: &str = "com.example.app";
pub(crate) const APP_ID: i64 = 1_234_567_890;

/// A simulated App Store, and the adapter that sells through it.
pub(crate) struct Shop {
    pub(crate) simulator: Simulator<simulated::AppStore>,
    pub(crate) adapter: AppStore,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: AppStoreSettings,
    folder: TempDir,
}

impl Shop {
    /// A shop of the sandbox.
    pub(crate) fn open() -> Self {
        Self::of(AppStoreEnvironment::Sandbox, Authority::new())
    }

    pub(crate) fn in_production() -> Self {
        Self::of(AppStoreEnvironment::Production, Authority::new())
    }

    pub(crate) fn of(environment: AppStoreEnvironment, authority: Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root.pem");
        authority.write_root(&root);
        let mut store = simulated::AppStore::new(BUNDLE, APP_ID, environment.as_str());
        store.authority = authority;
        let credentials = &store.credentials;
        let settings = AppStoreSettings::new(
            environment,
            BUNDLE,
            credentials.issuer_id.as_str(),
            credentials.key_id.as_str(),
        );
        let private_key = Some(credentials.private_key().into());
        let simulator = Simulator::start(store);
        let settings = AppStoreSettings {
            private_key,
            app_id: Some(APP_ID),
            base_url: Some(simulator.url()),
            root_certificates_path: Some(root),
            deadline: Duration::from_secs(5),
            ..settings
        };
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(now() * 1_000)));
        let adapter = AppStore::new(&settings, clock.clone()).unwrap();
        Self { simulator, adapter, clock, settings, folder }
    }

    /// Another adapter of the same store.
    pub(crate) fn adapter_with(
        &self,
        change: impl FnOnce(AppStoreSettings) -> AppStoreSettings,
    ) -> AppStore {
        AppStore::new(&change(self.settings.clone()), self.clock.clone()).unwrap()
    }

    /// Lets time pass, here and at the store.
    pub(crate) fn wait(&self, time: Duration) {
        self.clock.advance(time);
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.simulator.with(|store| store.ahead += millis);
    }

    /// A place for files.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn sell(&self, purchase: Purchase) {
        self.simulator.with(|store| store.sell(purchase));
    }

    /// The purchase, signed by the store.
    pub(crate) fn signed(&self, purchase: &Purchase) -> SignedPayload {
        payload(&self.simulator.with(|store| store.transaction(purchase)))
    }

    /// How often the store was asked since the last look.
    pub(crate) fn asked(&self) -> usize {
        self.simulator.take_requests().len()
    }
}

pub(crate) fn id(text: &str) -> TransactionId {
    TransactionId::parse(text).unwrap()
}

pub(crate) fn purchase(text: &str) -> OriginalTransactionId {
    OriginalTransactionId::parse(text).unwrap()
}

pub(crate) fn payload(text: &str) -> SignedPayload {
    SignedPayload::parse(text).unwrap()
}

/// What is wrong with a payload that was not believed.
pub(crate) fn flaw<T: std::fmt::Debug>(result: Result<T, PurchaseError>) -> Option<Flaw> {
    match result.unwrap_err() {
        PurchaseError::Unverified { flaw, .. } => Some(flaw),
        _ => None,
    }
}
