//! Google's simulators refuse what Google refuses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};

use portcullis_simulators::google::{
    Bearers, Device, Firestore, Messaging, PublicKeys, RsaKey, TokenEndpoint,
};
use portcullis_simulators::{Service, Simulator};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const NOW: i64 = 1_795_305_600;
const CLIENT: &str = "server@demo.iam.gserviceaccount.com";
const MESSAGING: &str = "https://www.googleapis.com/auth/firebase.messaging";
const DATASTORE: &str = "https://www.googleapis.com/auth/datastore";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

static KEY: LazyLock<Arc<RsaKey>> = LazyLock::new(|| Arc::new(RsaKey::generate()));

async fn answered(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// Asks a service on behalf of somebody.
async fn ask<S: Service>(
    service: &Simulator<S>,
    bearer: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let request = Client::new().request(method, format!("{}{path}", service.url()));
    answered(request.bearer_auth(bearer).json(body)).await
}

#[tokio::test]
async fn an_assertion_is_judged_in_every_part() {
    let bearers = Bearers::default();
    let endpoint = TokenEndpoint::new(bearers.clone(), NOW).knowing(CLIENT, Arc::clone(&KEY));
    let endpoint = Simulator::start(endpoint);
    let url = format!("{}/token", endpoint.url());
    let good = json!({
        "iss": CLIENT, "scope": MESSAGING, "aud": url, "iat": NOW, "exp": NOW + 3_600
    });
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let grant = async |grant: &str, assertion: String| {
        let form = [("grant_type", grant), ("assertion", &assertion)];
        answered(Client::new().post(&url).form(&form)).await
    };
    let (status, granted) = grant(GRANT, KEY.token(&header, &good)).await;
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")));
    for (name, wrong) in [
        ("iss", json!("stranger@example.com")),
        ("iss", Value::Null),
        ("scope", json!("")),
        ("scope", json!("openid")),
        ("aud", json!("https://oauth2.googleapis.com/token")),
        ("iat", json!(NOW + 301)),
        ("iat", json!(NOW - 1)),
        ("iat", Value::Null),
        ("exp", json!(NOW + 3_601)),
        ("exp", json!(NOW)),
        ("exp", json!("never")),
    ] {
        let mut claims = good.clone();
        claims[name] = wrong;
        let (status, refused) = grant(GRANT, KEY.token(&header, &claims)).await;
        assert_eq!(status, 400, "{claims}");
        assert!(refused["error"].as_str().unwrap().starts_with("invalid_"), "{refused}");
    }
    for assertion in [
        RsaKey::generate().token(&header, &good),
        KEY.token(&json!({"alg": "none"}), &good),
        PublicKeys::unsigned(&good),
        "nonsense".to_owned(),
    ] {
        let (status, refused) = grant(GRANT, assertion).await;
        assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    }
    assert_eq!(grant("client_credentials", String::new()).await.0, 400);
    let json_body = Client::new().post(&url).json(&json!({}));
    assert_eq!(answered(json_body).await.0, 400);
    assert_eq!(bearers.count(), 1);
}

/// A token that looks like one.
const TOKEN: &str = "fid:APA91bHun4MxP5egoKMwt2KZFBaFUH";

#[tokio::test]
async fn a_message_is_judged_in_every_part() {
    let bearers = Bearers::default();
    let service = Simulator::start(Messaging::new("demo", bearers.clone()));
    service.with(|service| service.put(TOKEN, Device::Registered));
    let bearer = bearers.issue(MESSAGING);
    let path = "/v1/projects/demo/messages:send";
    let send = async |body: Value| ask(&service, &bearer, Method::POST, path, &body).await;
    let good = json!({"message": {"token": TOKEN, "notification": {"title": "t"}}});
    assert_eq!(send(good.clone()).await.0, 200);
    // Names and values of data count, 4096 bytes in all.
    let of_data = |name: &str, value: &str| {
        let data = Value::Object([(name.to_owned(), value.into())].into_iter().collect());
        json!({"message": {"token": TOKEN, "data": data}, "validate_only": true})
    };
    assert_eq!(send(of_data(&"n".repeat(4_000), &"x".repeat(96))).await.0, 200);
    for body in [
        json!([]),
        json!({}),
        json!({"message": {"token": TOKEN}, "dry_run": true}),
        json!({"message": {"token": TOKEN}, "validate_only": "true"}),
        json!({"message": {"token": TOKEN, "to": "x"}}),
        json!({"message": {"token": TOKEN, "topic": "x"}}),
        json!({"message": {"notification": {"title": "t"}}}),
        json!({"message": {"token": 7}}),
        json!({"message": {"token": "short"}}),
        json!({"message": {"token": TOKEN, "notification": {"content": "x"}}}),
        json!({"message": {"token": TOKEN, "notification": {"title": 7}}}),
        json!({"message": {"token": TOKEN, "data": {"a": 1}}}),
        json!({"message": {"token": TOKEN, "data": {"google.a": "b"}}}),
        json!({"message": {"token": TOKEN, "data": {"a": "x".repeat(4_097)}}}),
        of_data(&"n".repeat(4_000), &"x".repeat(97)),
        of_data("a", &"x".repeat(4_096)),
    ] {
        let (status, refused) = send(body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(refused["error"]["status"], "INVALID_ARGUMENT", "{refused}");
    }
    let to = |project: &str| format!("/v1/projects/{project}/messages:send");
    let storage = bearers.issue(DATASTORE);
    assert_eq!(ask(&service, "stolen", Method::POST, path, &good).await.0, 401);
    assert_eq!(ask(&service, &storage, Method::POST, path, &good).await.0, 403);
    assert_eq!(ask(&service, &bearer, Method::POST, &to("other"), &good).await.0, 403);
    assert_eq!(ask(&service, &bearer, Method::GET, path, &good).await.0, 404);
    assert_eq!(service.with(|service| service.delivered().len()), 1);
}

#[tokio::test]
async fn a_write_is_judged_in_every_part() {
    let bearers = Bearers::default();
    let service = Simulator::start(Firestore::new("demo", bearers.clone()));
    let bearer = bearers.issue(DATASTORE);
    let root = "/v1/projects/demo/databases/(default)/documents";
    let patch = async |path: &str, body: Value| {
        ask(&service, &bearer, Method::PATCH, &format!("{root}/{path}"), &body).await.0
    };
    assert_eq!(patch("users/ann", json!({"fields": {"a": {"stringValue": "b"}}})).await, 200);
    for value in [
        json!("b"),
        json!({}),
        json!({"stringValue": "b", "nullValue": null}),
        json!({"textValue": "b"}),
        json!({"stringValue": 1}),
        json!({"integerValue": "1.5"}),
        json!({"integerValue": 1.5}),
        json!({"booleanValue": "true"}),
        json!({"doubleValue": "much"}),
        json!({"bytesValue": "*"}),
        json!({"timestampValue": "2026-01-01"}),
        json!({"referenceValue": "users/ann"}),
        json!({"geoPointValue": {"latitude": 91}}),
        json!({"geoPointValue": {"lat": 1}}),
        json!({"arrayValue": {"values": [{"arrayValue": {}}]}}),
        json!({"arrayValue": []}),
        json!({"mapValue": {"a": {}}}),
        json!({"mapValue": {"fields": {"__a__": {"nullValue": null}}}}),
    ] {
        assert_eq!(patch("users/bob", json!({"fields": {"a": value}})).await, 400, "{value}");
    }
    let empty = || json!({"fields": {}});
    assert_eq!(patch("users/bob", json!({"field": {}})).await, 400);
    for path in [
        "users",
        "users/__bob__",
        "users/bob?mask=a",
        "users/bob?updateMask.fieldPaths=a-b",
        "users/bob?updateMask.fieldPaths=a&updateMask.fieldPaths=a.b",
        "users/bob?updateMask.fieldPaths=a&updateMask.fieldPaths=a",
        "users/bob?currentDocument.exists=yes",
    ] {
        assert_eq!(patch(path, empty()).await, 400, "{path}");
    }
    assert_eq!(patch("users/bob?currentDocument.exists=true", empty()).await, 404);
    assert_eq!(patch("users/ann?currentDocument.exists=false", empty()).await, 409);
    assert!(service.with(|service| service.stored(&["users", "bob"])).is_none());
}

#[tokio::test]
async fn two_keys_are_published_and_the_newest_signs() {
    let (first, second) = (Arc::new(RsaKey::generate()), Arc::new(RsaKey::generate()));
    let service = Simulator::start(PublicKeys::new(Arc::clone(&first)));
    let url = format!("{}{}", service.url(), PublicKeys::PATH);
    let published = async || {
        let (_, keys) = answered(Client::new().get(&url)).await;
        let names = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(published().await, ["key-1"]);
    service.with(|keys| keys.rotate(Arc::clone(&second)));
    assert_eq!(published().await, ["key-2", "key-1"]);
    let token = service.with(|keys| keys.mint(&json!({"sub": "ann"})));
    let (header, claims) = second.verify(&token).unwrap();
    assert_eq!((&header["kid"], &claims["sub"]), (&json!("key-2"), &json!("ann")));
    assert!(first.verify(&token).is_none());
    service.with(|keys| keys.rotate(first));
    assert_eq!(published().await, ["key-3", "key-2"]);
}

/// Whether an endpoint takes an assertion that is good from then until then.
async fn takes(endpoint: &Simulator<TokenEndpoint>, from: i64, until: i64) -> (u16, Value) {
    let url = format!("{}/token", endpoint.url());
    let claims = json!({"iss": CLIENT, "scope": MESSAGING, "aud": url, "iat": from, "exp": until});
    let assertion = KEY.token(&json!({"alg": "RS256"}), &claims);
    answered(Client::new().post(&url).form(&[("grant_type", GRANT), ("assertion", &assertion)]))
        .await
}

#[tokio::test]
async fn time_passes_for_an_endpoint_that_goes_by_the_clock() {
    let bearers = Bearers::default();
    let endpoint = TokenEndpoint::by_the_clock(bearers.clone()).knowing(CLIENT, Arc::clone(&KEY));
    let endpoint = Simulator::start(endpoint);
    let service = Simulator::start(Messaging::new("demo", bearers));
    let started = portcullis_simulators::app_store::now() / 1_000;
    assert_eq!(takes(&endpoint, started, started + 4).await.0, 200);
    endpoint.with(|endpoint| endpoint.lifetime_seconds = 4);
    let (_, granted) = takes(&endpoint, started, started + 4).await;
    let token = granted["access_token"].as_str().unwrap();
    let path = "/v1/projects/demo/messages:send";
    let status = async || ask(&service, token, Method::POST, path, &json!({})).await.0;
    assert_eq!(status().await, 400);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    // Both the assertion and the token have run out.
    assert_eq!(takes(&endpoint, started, started + 4).await.0, 400);
    assert_eq!(status().await, 401);
    let now = portcullis_simulators::app_store::now() / 1_000;
    assert_eq!(takes(&endpoint, now, now + 3_600).await.0, 200);
}
