//! A Firebase project for one test: its keys, its users, its devices.

use std::sync::{Arc, LazyLock};

use portcullis_simulators::Simulator;
use portcullis_simulators::google::{Bearers, Messaging, PublicKeys, RsaKey, TokenEndpoint};
use portcullis_testkit::FirebaseEmulator;
use portcullis_tests::Server;
use serde_json::{Value, json};

/// The emulator believes service accounts of this project.
pub(crate) const PROJECT: &str = "demo-portcullis";
const CLIENT: &str = "server@demo-portcullis.iam.gserviceaccount.com";

/// The account's key, that of ID tokens, and a stranger's: making one takes a moment.
static KEYS: LazyLock<[Arc<RsaKey>; 3]> =
    LazyLock::new(|| std::array::from_fn(|_| Arc::new(RsaKey::generate())));

/// One emulator for all tests; it takes seconds to start. Each test has users of
/// its own.
static EMULATOR: LazyLock<FirebaseEmulator> = LazyLock::new(FirebaseEmulator::start);

/// Google's own emulator, which knows the users.
pub(crate) async fn emulator() -> &'static FirebaseEmulator {
    started(|| LazyLock::force(&EMULATOR)).await
}

/// Starts a service from wherever that does not hold up a runtime.
pub(crate) async fn started<T: Send + 'static>(start: fn() -> T) -> T {
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(send.send(start())));
    receive.await.unwrap()
}

pub(crate) fn now() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What stands in for Google, but for the users.
pub(crate) struct Firebase {
    pub(crate) endpoint: Simulator<TokenEndpoint>,
    pub(crate) keys: Simulator<PublicKeys>,
    pub(crate) messaging: Simulator<Messaging>,
}

impl Firebase {
    pub(crate) fn start() -> Self {
        let bearers = Bearers::default();
        let endpoint = TokenEndpoint::by_the_clock(bearers.clone());
        let endpoint = endpoint.knowing(CLIENT, Arc::clone(&KEYS[0]));
        Self {
            endpoint: Simulator::start(endpoint),
            keys: Simulator::start(PublicKeys::new(Arc::clone(&KEYS[1]))),
            messaging: Simulator::start(Messaging::new(PROJECT, bearers)),
        }
    }

    /// A server that uses it, with other settings too.
    pub(crate) async fn server(&self, others: &[(&str, &str)]) -> Server {
        let key = KEYS[0].private_pem();
        let token_uri = format!("{}/token", self.endpoint.url());
        let keys_url = format!("{}{}", self.keys.url(), PublicKeys::PATH);
        let users = format!("http://{}/identitytoolkit.googleapis.com", emulator().await.host());
        let messaging = self.messaging.url();
        let mut settings = vec![
            ("FIREBASE_LOGIN", "true"),
            ("FIREBASE_MESSAGING", "true"),
            ("FIREBASE_PROJECT_ID", PROJECT),
            ("FIREBASE_CLIENT_EMAIL", CLIENT),
            ("FIREBASE_PRIVATE_KEY", &key),
            ("FIREBASE_TOKEN_URI", &token_uri),
            ("FIREBASE_KEYS_URL", &keys_url),
            ("FIREBASE_IDENTITY_URL", &users),
            ("FIREBASE_MESSAGING_URL", &messaging),
        ];
        settings.extend(others);
        Server::start_with(&settings).await
    }

    /// An ID token of that user, who is made known to the emulator.
    pub(crate) async fn token_of(&self, id: &str, claims: Value) -> String {
        let _ = emulator().await.as_admin(PROJECT, "accounts", &json!({"localId": id}));
        self.mint(id, claims)
    }

    /// An ID token of a user, known or not.
    pub(crate) fn mint(&self, id: &str, claims: Value) -> String {
        self.keys.with(|keys| keys.mint(&all_claims(id, claims)))
    }

    /// The same, signed by a stranger under the key's name.
    pub(crate) fn forge(&self, id: &str, claims: Value) -> String {
        let key_id = self.keys.with(|keys| keys.current().0.to_owned());
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": key_id});
        KEYS[2].token(&header, &all_claims(id, claims))
    }
}

fn all_claims(id: &str, claims: Value) -> Value {
    let now = now();
    let mut all = json!({
        "iss": format!("https://securetoken.google.com/{PROJECT}"),
        "aud": PROJECT,
        "sub": id,
        "user_id": id,
        // The emulator's users are as old as this very second.
        "auth_time": now,
        "iat": now,
        "exp": now + 3_600,
        "firebase": {"identities": {}, "sign_in_provider": "google.com"},
    });
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    all.as_object_mut().unwrap().extend(claims);
    all
}
