//! A service account, and the endpoint that knows it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::Timestamp;
use portcullis_google::{AccessTokens, ServiceAccount, ServiceAccountParts};
use portcullis_simulators::Simulator;
use portcullis_simulators::google::{Bearers, RsaKey, TokenEndpoint};

pub(crate) const PROJECT: &str = "demo-project";
pub(crate) const CLIENT: &str = "server@demo-project.iam.gserviceaccount.com";
/// 2026-11-22, in seconds.
pub(crate) const NOW: i64 = 1_795_305_600;
/// Longest call of these tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);

/// One for all tests: making one takes a moment.
static KEY: LazyLock<Arc<RsaKey>> = LazyLock::new(|| Arc::new(RsaKey::generate()));

pub(crate) struct Cloud {
    pub(crate) endpoint: Simulator<TokenEndpoint>,
    pub(crate) bearers: Bearers,
    pub(crate) clock: Arc<ManualClock>,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        let bearers = Bearers::default();
        let endpoint = TokenEndpoint::new(bearers.clone(), NOW).knowing(CLIENT, Arc::clone(&KEY));
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(NOW)));
        Self { endpoint: Simulator::start(endpoint), bearers, clock }
    }

    /// Lets the time pass, for both.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let seconds = i64::try_from(by.as_secs()).unwrap();
        self.endpoint.with(|endpoint| endpoint.now += seconds);
    }

    pub(crate) fn account_with(&self, client_email: &str, pem: String) -> ServiceAccount {
        let parts = ServiceAccountParts {
            project_id: Some(PROJECT.into()),
            private_key_id: Some("0123abcd".into()),
            private_key: Some(pem.into()),
            client_email: Some(client_email.into()),
            token_uri: Some(format!("{}/token", self.endpoint.url())),
            ..ServiceAccountParts::default()
        };
        parts.assemble().unwrap()
    }

    pub(crate) fn tokens_of(&self, account: ServiceAccount) -> Arc<AccessTokens> {
        let clock = Arc::clone(&self.clock);
        Arc::new(AccessTokens::new(account, clock, DEADLINE).unwrap())
    }

    pub(crate) fn tokens(&self) -> Arc<AccessTokens> {
        self.tokens_of(self.account_with(CLIENT, KEY.private_pem()))
    }
}
