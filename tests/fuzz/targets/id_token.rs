//! Nobody is let in by an ID token but those whom Google's key has signed in, and
//! of claims that are believed no more is understood than they say.

#![no_main]

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use portcullis_domain::ports::{Clock, IdentityError, IdentityProvider, RevocationCheck};
use portcullis_domain::{Timestamp, VerifiedIdentity};
use portcullis_firebase::{Authentication, FirebaseSettings};
use portcullis_google::{AccessTokens, ServiceAccountParts};
use portcullis_simulators::Simulator;
use portcullis_simulators::google::{PublicKeys, RsaKey};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

const NOW: i64 = 1_700_000_000;
const PROJECT: &str = "demo";
const ISSUER: &str = "https://securetoken.google.com/demo";
/// So many seconds may Google's clock be ahead.
const SKEW: i64 = 60;
/// Longer claims make no token that is looked at.
const LONGEST: usize = 8_000;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
}

/// What verifies tokens, by keys and without.
struct World {
    runtime: Runtime,
    /// Takes what the key has signed.
    strict: Authentication,
    /// Takes the emulator's tokens, which are not signed, so that the fuzzer gets
    /// to their claims. Nothing is asked of the emulator itself.
    trusting: Authentication,
    /// A token that is good.
    good: String,
    _keys: Simulator<PublicKeys>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
    let key = Arc::new(RsaKey::generate());
    let account = ServiceAccountParts {
        project_id: Some(PROJECT.into()),
        private_key: Some(key.private_pem().into()),
        client_email: Some("server@demo.iam.gserviceaccount.com".into()),
        token_uri: Some("http://127.0.0.1:9/token".into()),
        ..ServiceAccountParts::default()
    };
    let account = account.assemble().expect("an account");
    let keys = Simulator::start(PublicKeys::new(key));
    let settings = FirebaseSettings {
        identity_url: Some("http://127.0.0.1:9".into()),
        keys_url: Some(format!("{}{}", keys.url(), PublicKeys::PATH)),
        ..FirebaseSettings::default()
    };
    let tokens = AccessTokens::new(account, Arc::new(StandingClock), settings.deadline);
    let tokens = Arc::new(tokens.expect("a client"));
    let strict = Authentication::new(tokens, &settings, Arc::new(StandingClock));
    let clock = Arc::new(StandingClock);
    let trusting = Authentication::with_emulator("127.0.0.1:9", PROJECT, &settings, clock);
    let claims = json!({
        "iss": ISSUER, "aud": PROJECT, "sub": "ann",
        "auth_time": NOW - 60, "iat": NOW - 60, "exp": NOW + 3_540,
    });
    let world = World {
        runtime,
        strict: strict.expect("a client"),
        trusting: trusting.expect("a client"),
        good: keys.with(|keys| keys.mint(&claims)),
        _keys: keys,
    };
    // Else nothing would be proven by a refusal.
    assert!(world.verified(&world.strict, &world.good).is_ok());
    world
});

impl World {
    fn verified(
        &self,
        by: &Authentication,
        token: &str,
    ) -> Result<VerifiedIdentity, IdentityError> {
        self.runtime.block_on(by.verify_id_token(token.into(), RevocationCheck::Skip))
    }

    /// Asserts that nobody is let in by a token that the key has not signed.
    fn refuse(&self, token: &str) {
        let verified = self.verified(&self.strict, token);
        assert!(verified.is_err() || token == self.good, "{token}");
        // It is no lack of keys for which it is refused.
        assert!(!matches!(verified, Err(IdentityError::Unavailable(_))), "{token}");
    }
}

/// The good token with a piece of it replaced by this: the first three bytes say
/// which.
fn altered(good: &str, text: &str) -> Option<String> {
    let (&[high, low, length], with) = text.as_bytes().split_first_chunk::<3>()?;
    let from = (usize::from(high) << 8 | usize::from(low)) % good.len();
    let to = (from + usize::from(length) % 8).min(good.len());
    let with = std::str::from_utf8(with).ok()?;
    Some(format!("{}{with}{}", &good[..from], &good[to..]))
}

/// Who is let in by these claims, by another reading, with all that they say.
fn believed(text: &str) -> Option<(String, Map<String, Value>)> {
    let Ok(Value::Object(claims)) = serde_json::from_str(text) else { return None };
    let seconds = |name: &str| claims.get(name)?.as_i64();
    let is_for_us = claims.get("aud")? == PROJECT && claims.get("iss")? == ISSUER;
    let is_past = seconds("iat")? <= NOW + SKEW && seconds("auth_time")? <= NOW + SKEW;
    let subject = claims.get("sub")?.as_str()?.to_owned();
    let is_name = !subject.is_empty()
        && subject.chars().count() <= 128
        && !subject.chars().any(char::is_control);
    (is_for_us && is_past && seconds("exp")? > NOW && is_name).then_some((subject, claims))
}

fuzz_target!(|text: &str| {
    if text.len() > LONGEST {
        return;
    }
    let world = &*WORLD;
    let encoded = URL_SAFE_NO_PAD.encode(text);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let unsigned = format!("{header}.{encoded}.");

    let parts: Vec<&str> = world.good.split('.').collect();
    let (head, claims, signature) = (parts[0], parts[1], parts[2]);
    world.refuse(text);
    world.refuse(&unsigned);
    world.refuse(&format!("{encoded}.{claims}.{signature}"));
    world.refuse(&format!("{head}.{encoded}.{signature}"));
    world.refuse(&format!("{head}.{claims}.{encoded}"));
    world.refuse(&format!("{head}.{claims}.{signature}{text}"));
    if let Some(altered) = altered(&world.good, text) {
        world.refuse(&altered);
    }

    // Without a signature, it is the claims that decide.
    match (world.verified(&world.trusting, &unsigned), believed(text)) {
        (Ok(identity), Some((subject, claims))) => {
            let claim = |name: &str| claims.get(name).and_then(Value::as_str);
            assert_eq!(identity.subject.as_str(), subject, "{text}");
            assert_eq!((&*identity.audience, &*identity.issuer), (PROJECT, ISSUER), "{text}");
            assert!(identity.expires_at.as_seconds() > NOW, "{text}");
            assert!(identity.issued_at.as_seconds() <= NOW + SKEW, "{text}");
            assert_eq!(identity.name.as_deref(), claim("name"), "{text}");
            assert!(identity.email.is_none() || claim("email").is_some(), "{text}");
            let says_verified = claims.get("email_verified") == Some(&Value::Bool(true));
            let is_verified = identity.email.is_some() && says_verified;
            assert_eq!(identity.email_verified, is_verified, "{text}");
        }
        (Err(_), None) => {}
        (verified, _) => panic!("{text}: {verified:?}"),
    }
    // The emulator's verifier takes nothing that is signed.
    assert!(world.verified(&world.trusting, &world.good).is_err());
});
