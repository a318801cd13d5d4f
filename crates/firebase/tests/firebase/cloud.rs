//! A project in a Google that is made for one test.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::Timestamp;
use portcullis_firebase::{Authentication, FirebaseSettings};
use portcullis_google::{AccessTokens, ServiceAccountParts};
use portcullis_simulators::Simulator;
use portcullis_simulators::google::{Bearers, PublicKeys, RsaKey, TokenEndpoint};
use portcullis_testkit::FirebaseEmulator;
use serde_json::{Value, json};

/// The emulator believes service accounts of this project.
pub(crate) const PROJECT: &str = "demo-portcullis";
const CLIENT: &str = "server@demo-portcullis.iam.gserviceaccount.com";
/// 2026-11-22, in seconds.
pub(crate) const NOW: i64 = 1_795_305_600;
/// Longest call of these tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);

/// The account's key, and those of ID tokens: making one takes a moment.
static KEYS: LazyLock<[Arc<RsaKey>; 4]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(RsaKey::generate())));

/// One emulator for all tests; it takes seconds to start. Each test has users of
/// its own.
static EMULATOR: LazyLock<FirebaseEmulator> = LazyLock::new(FirebaseEmulator::start);

/// The emulator. Whoever comes first waits, with the whole thread: nothing else
/// of a test runs there.
pub(crate) fn emulator() -> &'static FirebaseEmulator {
    &EMULATOR
}

/// One of four keys.
pub(crate) fn key(number: usize) -> Arc<RsaKey> {
    Arc::clone(&KEYS[number])
}

/// A service account, the endpoint that knows it, and the keys of ID tokens.
pub(crate) struct Cloud {
    pub(crate) endpoint: Simulator<TokenEndpoint>,
    pub(crate) bearers: Bearers,
    pub(crate) keys: Simulator<PublicKeys>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Cloud {
    pub(crate) fn new() -> Self {
        Self::at(NOW)
    }

    /// At another time, in seconds.
    pub(crate) fn at(now: i64) -> Self {
        let bearers = Bearers::default();
        let endpoint = TokenEndpoint::new(bearers.clone(), now).knowing(CLIENT, key(0));
        Self {
            endpoint: Simulator::start(endpoint),
            bearers,
            keys: Simulator::start(PublicKeys::new(key(1))),
            clock: Arc::new(ManualClock::at(Timestamp::from_seconds(now))),
        }
    }

    /// The account's access tokens.
    pub(crate) fn tokens(&self) -> Arc<AccessTokens> {
        let parts = ServiceAccountParts {
            project_id: Some(PROJECT.into()),
            private_key_id: Some("0123abcd".into()),
            private_key: Some(key(0).private_pem().into()),
            client_email: Some(CLIENT.into()),
            token_uri: Some(format!("{}/token", self.endpoint.url())),
            ..ServiceAccountParts::default()
        };
        let clock = Arc::clone(&self.clock);
        Arc::new(AccessTokens::new(parts.assemble().unwrap(), clock, DEADLINE).unwrap())
    }

    /// Settings that lead to this cloud's keys, and nowhere else.
    pub(crate) fn settings(&self) -> FirebaseSettings {
        let nowhere = || Some("http://127.0.0.1:9".to_owned());
        FirebaseSettings {
            identity_url: nowhere(),
            keys_url: Some(format!("{}{}", self.keys.url(), PublicKeys::PATH)),
            messaging_url: nowhere(),
            firestore_url: nowhere(),
            deadline: DEADLINE,
            ..FirebaseSettings::default()
        }
    }

    /// What verifies ID tokens, and finds users at that address.
    pub(crate) fn authentication_at(&self, identity_url: &str) -> Authentication {
        let identity_url = Some(identity_url.to_owned());
        self.authentication_with(&FirebaseSettings { identity_url, ..self.settings() })
    }

    /// What verifies ID tokens, and can ask nobody for users.
    pub(crate) fn authentication(&self) -> Authentication {
        self.authentication_with(&self.settings())
    }

    pub(crate) fn authentication_with(&self, settings: &FirebaseSettings) -> Authentication {
        let clock = Arc::clone(&self.clock);
        Authentication::new(self.tokens(), settings, clock).unwrap()
    }

    /// An ID token with these claims, signed by the newest key.
    pub(crate) fn mint(&self, claims: &Value) -> String {
        self.keys.with(|keys| keys.mint(claims))
    }
}

/// The claims of an ID token of Ann's, who signed in a minute ago.
pub(crate) fn claims() -> Value {
    json!({
        "iss": format!("https://securetoken.google.com/{PROJECT}"),
        "aud": PROJECT,
        "sub": "ann",
        "user_id": "ann",
        "auth_time": NOW - 60,
        "iat": NOW - 60,
        "exp": NOW + 3_540,
        "name": "Ann",
        "picture": "https://pictures.example/ann.png",
        "email": "Ann@Example.com",
        "email_verified": true,
        "phone_number": "+15551234567",
        "role": "admin",
        "firebase": {"identities": {"email": ["Ann@Example.com"]}, "sign_in_provider": "password"}
    })
}

/// The same with some claims replaced; those that are null are left out.
pub(crate) fn claims_but(changes: Value) -> Value {
    let mut claims = claims();
    let all = claims.as_object_mut().unwrap();
    let Value::Object(changes) = changes else { panic!("no claims") };
    for (name, value) in changes {
        if value.is_null() {
            all.remove(&name)
        } else {
            all.insert(name, value)
        };
    }
    claims
}
