//! What a deployment does not offer is not there.

use portcullis_tests::{Answer, Server};
use reqwest::Method;
use serde_json::json;

use crate::firebase::Firebase;
use crate::purchases::Apple;

const ROUTES: [(Method, &str); 9] = [
    (Method::POST, "/api/v1/auth/firebase"),
    (Method::PUT, "/api/v1/auth/me/avatar"),
    (Method::GET, "/api/v1/auth/me/avatar"),
    (Method::DELETE, "/api/v1/auth/me/avatar"),
    (Method::PUT, "/api/v1/auth/me/devices/some-token"),
    (Method::DELETE, "/api/v1/auth/me/devices/some-token"),
    (Method::POST, "/api/v1/purchases/app-store"),
    (Method::GET, "/api/v1/purchases"),
    (Method::POST, "/api/v1/purchases/app-store/notifications"),
];

#[tokio::test]
async fn without_settings_the_routes_are_not_there_for_anybody_and_by_no_method() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for (method, path) in ROUTES {
        for request in [
            server.anonymous().request(method.clone(), path),
            ann.request(method.clone(), path),
            server.anonymous().request(Method::PATCH, path),
        ] {
            Answer::to(request).await.is_refused(404, "NOT_FOUND");
        }
    }
    server.anonymous().get("/objects/avatars/a.png").await.is_refused(404, "NOT_FOUND");
    // They are documented all the same: a client is written once.
    let document = server.anonymous().get("/openapi.json").await.expect(200);
    for (method, path) in ROUTES {
        let path = path.replace("some-token", "{token}");
        let operation = &document.body["paths"][&path][method.as_str().to_lowercase()];
        assert!(operation["operationId"].is_string(), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_services_what_is_not_public_answers_nobody() {
    let (firebase, apple) = (Firebase::start(), Apple::start());
    let mut settings = apple.settings();
    settings.push(("OBJECT_STORE_URL", "file:objects"));
    let server = firebase.server(&settings).await;
    for (method, path) in ROUTES {
        let request = server.anonymous().request(method.clone(), path).json(&json!({}));
        let answer = Answer::to(request).await;
        match path {
            "/api/v1/auth/firebase" => answer.is_missing(&["id_token"]),
            "/api/v1/purchases/app-store/notifications" => answer.is_missing(&["signedPayload"]),
            _ => answer.is_refused(403, "NOT_AUTHENTICATED"),
        }
        let forged = server.anonymous().request(method, path).bearer_auth("a.b.c").json(&json!({}));
        let status = Answer::to(forged).await.status;
        assert!(matches!(status, 401 | 422), "{path}: {status}");
    }
    // By another method they are there, and say which.
    let other = server.anonymous().request(Method::PATCH, "/api/v1/auth/me/avatar");
    let other = Answer::to(other).await;
    other.is_refused(405, "METHOD_NOT_ALLOWED");
    assert_eq!(other.header("allow"), Some("DELETE, GET, PUT"));
}

#[test]
fn what_is_wrong_with_a_service_is_told_by_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    for (settings, told) in [
        (&[("FIREBASE_LOGIN", "true")][..], "FIREBASE_PROJECT_ID: must be set"),
        (
            &[
                ("FIREBASE_MESSAGING", "true"),
                ("FIREBASE_PROJECT_ID", "demo"),
                ("FIREBASE_CLIENT_EMAIL", "server"),
                ("FIREBASE_PRIVATE_KEY", "secret-canary"),
            ],
            "FIREBASE_CLIENT_EMAIL: is malformed",
        ),
        (
            &[
                ("FIREBASE_LOGIN", "true"),
                ("FIREBASE_PROJECT_ID", "demo"),
                ("FIREBASE_CLIENT_EMAIL", "a@b.c"),
                ("FIREBASE_PRIVATE_KEY", "secret-canary"),
            ],
            "FIREBASE_PRIVATE_KEY: cannot be used",
        ),
        (
            &[
                ("FIREBASE_LOGIN", "true"),
                ("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099"),
                ("FIREBASE_PROJECT_ID", "demo"),
                ("HOST", "0.0.0.0"),
                ("PUBLIC_URL", "https://auth.example.com"),
            ],
            "FIREBASE_AUTH_EMULATOR_HOST: is for development",
        ),
        (&[("OBJECT_STORE_URL", "ftp://bucket")], "OBJECT_STORE_URL: must be"),
        (&[("OBJECT_STORE_URL", "s3://a:secret-canary@b?region=r")], "OBJECT_STORE_URL: must be"),
        (&[("OBJECT_STORE_URL", "b2://b?region=us-west-004")], "OBJECT_STORE_KEY_ID: must be set"),
        (&[("OBJECT_STORE_URL", "gs://pictures")], "GOOGLE_SERVICE_ACCOUNT_PATH: must be set"),
        (&[("APP_STORE_BUNDLE_ID", "com.example.app")], "APP_STORE_ISSUER_ID: must be set"),
        (
            &[
                ("APP_STORE_BUNDLE_ID", "com.example.app"),
                ("APP_STORE_ISSUER_ID", "i"),
                ("APP_STORE_KEY_ID", "k"),
                ("APP_STORE_ENVIRONMENT", "sandbox"),
                ("APP_STORE_PRIVATE_KEY", "secret-canary"),
            ],
            "APP_STORE_PRIVATE_KEY: ",
        ),
    ] {
        let refused = portcullis_tests::run(folder.path(), &["serve"], settings);
        let said = refused.said();
        assert!(!refused.status.success() && said.contains(told), "{settings:?}: {said}");
        assert!(!said.contains("secret-canary"), "{said}");
    }
}
