//! Whom the simulated App Store lets in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portcullis_simulators::Simulator;
use portcullis_simulators::app_store::{AppStore, Credentials, now};
use reqwest::Client;
use serde_json::{Value, json};

const BUNDLE: &str = "com.example.app";

fn store() -> Simulator<AppStore> {
    Simulator::start(AppStore::new(BUNDLE, 1, "Sandbox"))
}

/// The claims of a good token.
fn claims(credentials: &Credentials) -> Value {
    let now = now() / 1_000;
    json!({
        "iss": credentials.issuer_id,
        "iat": now,
        "exp": now + 3_600,
        "aud": "appstoreconnect-v1",
        "bid": BUNDLE,
    })
}

fn token(header: &Header, claims: &Value, private_key: &str) -> String {
    let key = match header.alg {
        Algorithm::HS256 => EncodingKey::from_secret(private_key.as_bytes()),
        _ => EncodingKey::from_ec_pem(private_key.as_bytes()).unwrap(),
    };
    encode(header, claims, &key).unwrap()
}

async fn status(store: &Simulator<AppStore>, token: &str) -> u16 {
    let url = format!("{}/inApps/v1/transactions/1", store.url());
    Client::new().get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_token_as_apple_publishes_it_is_let_in() {
    let store = store();
    let good = store.with(|store| {
        let credentials = &store.credentials;
        let kid = Some(credentials.key_id.clone());
        let header = Header { kid, ..Header::new(Algorithm::ES256) };
        token(&header, &claims(credentials), &credentials.private_key())
    });
    // There is no such transaction.
    assert_eq!(status(&store, &good).await, 404);
}

#[tokio::test]
async fn any_other_token_is_not() {
    let store = store();
    let other_key = Credentials::new(BUNDLE).private_key();
    let (key, good, kid) = store.with(|store| {
        let credentials = &store.credentials;
        (credentials.private_key(), claims(credentials), credentials.key_id.clone())
    });
    let header = |alg| Header { kid: Some(kid.clone()), ..Header::new(alg) };
    let es256 = header(Algorithm::ES256);
    let mut refused = vec![
        String::new(),
        "a.b.c".to_owned(),
        token(&es256, &good, &other_key),
        token(&Header::new(Algorithm::ES256), &good, &key),
        token(&header(Algorithm::HS256), &good, &key),
    ];
    let now = good["iat"].as_i64().unwrap();
    for (claim, value) in [
        ("iss", json!("other")),
        ("aud", json!("appstoreconnect-v2")),
        ("bid", json!("com.example.other")),
        ("exp", json!(now)),
        ("exp", json!(now + 3_700)),
        ("iat", json!(now + 60)),
        ("iss", Value::Null),
        ("aud", Value::Null),
        ("bid", Value::Null),
        ("exp", Value::Null),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        refused.push(token(&es256, &claims, &key));
    }
    for token in refused {
        assert_eq!(status(&store, &token).await, 401, "{token}");
    }
}
