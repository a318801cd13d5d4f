//! Health, and the documents that the server shows about itself.

use std::collections::BTreeSet;
use std::path::Path;

use portcullis_tests::{Answer, Server, foreign_hosts, resources, run};
use reqwest::Method;
use serde_json::{Value, json};

/// Every code that the contract knows.
const CODES: [&str; 19] = [
    "EMAIL_ALREADY_REGISTERED",
    "REGISTRATION_FAILED",
    "WEAK_PASSWORD",
    "INVALID_CREDENTIALS",
    "UNAUTHORIZED",
    "EMAIL_NOT_VERIFIED",
    "ACCOUNT_LOCKED",
    "INVALID_REFRESH_TOKEN",
    "INVALID_TOKEN",
    "TOKEN_REVOKED",
    "NOT_AUTHENTICATED",
    "VALIDATION_ERROR",
    "RATE_LIMIT_EXCEEDED",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
];

async fn document(server: &Server) -> Value {
    server.anonymous().get("/openapi.json").await.expect(200).body
}

/// Every operation: its method, its path, and what the document says of it.
fn operations(document: &Value) -> Vec<(Method, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("responses").is_some() {
                let method = method.to_ascii_uppercase().parse().unwrap();
                found.push((method, path.clone(), operation));
            }
        }
    }
    found
}

/// What a `$ref` stands for.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

#[tokio::test]
async fn op_10_a_healthy_server_says_so() {
    let server = Server::start().await;
    let answer = server.anonymous().get("/health").await.expect(200);
    answer.has_exactly(&["status", "timestamp", "version", "checks"]);
    assert_eq!(answer.str("/status"), "healthy");
    assert!(!answer.str("/version").is_empty());
    assert!(!answer.body["checks"].as_object().unwrap().is_empty());
    answer.is_instant_at("/timestamp");
}

#[tokio::test]
async fn a_version_that_is_hidden_is_told_nowhere() {
    let version = env!("CARGO_PKG_VERSION");
    for (disclosure, is_told) in [("reveal", true), ("hide", false)] {
        let server = Server::start_with(&[("VERSION_DISCLOSURE", disclosure)]).await;
        let health = server.anonymous().get("/health").await.expect(200);
        assert_eq!(health.str("/version") == version, is_told, "{disclosure}");
        let document = server.anonymous().get("/openapi.json").await.expect(200);
        assert_eq!(document.str("/info/version") == version, is_told, "{disclosure}");
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let server = Server::start().await;
    let answer = server.anonymous().get("/openapi.json").await.expect(200);
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    assert!(answer.str("/openapi").starts_with("3.1"), "{}", answer.str("/openapi"));
}

#[tokio::test]
async fn the_document_knows_every_operation_of_the_contract() {
    let server = Server::start().await;
    let document = document(&server).await;
    let known: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    for operation in [
        "POST /api/v1/auth/register",
        "GET /api/v1/auth/verify-email/{token}",
        "POST /api/v1/auth/verify-email",
        "POST /api/v1/auth/verify-email/resend",
        "POST /api/v1/auth/signup",
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/refresh",
        "POST /api/v1/auth/logout",
        "POST /api/v1/auth/password-reset/request",
        "POST /api/v1/auth/password-reset/confirm",
        "GET /api/v1/auth/me",
        "PATCH /api/v1/auth/me",
        "GET /api/v1/users/me",
        "GET /health",
    ] {
        assert!(known.contains(operation), "{operation} is missing: {known:?}");
    }
}

#[tokio::test]
async fn the_document_knows_every_error_code() {
    let server = Server::start().await;
    let text = document(&server).await.to_string();
    for code in CODES {
        assert!(text.contains(&format!("\"{code}\"")), "{code} is missing");
    }
}

/// Whether a route is there only with its service.
fn is_optional(path: &str) -> bool {
    let prefixes = ["/api/v1/auth/me/avatar", "/api/v1/auth/me/devices/", "/api/v1/purchases"];
    prefixes.iter().any(|prefix| path.starts_with(prefix))
}

#[tokio::test]
async fn what_is_not_public_answers_nobody() {
    let server = Server::start().await;
    let document = document(&server).await;
    let mut checked = 0;
    for (method, path, operation) in operations(&document) {
        let needs = operation.get("security").or(document.get("security"));
        let is_public = needs.and_then(Value::as_array).is_none_or(|needs| {
            // An empty requirement among them makes all of them optional.
            needs.is_empty() || needs.contains(&json!({}))
        });
        if is_public {
            continue;
        }
        let mut request = server.anonymous().request(method.clone(), &path);
        if operation.get("requestBody").is_some() {
            request = request.json(&json!({}));
        }
        let answer = Answer::to(request).await;
        // What is not offered is not there; `services` has the same test of what is.
        if is_optional(&path) {
            answer.is_refused(404, "NOT_FOUND");
            continue;
        }
        assert!([401, 403].contains(&answer.status), "{method} {path}: {answer:?}");
        checked += 1;
    }
    assert!(checked >= 4, "only {checked} operations need a token");
}

#[tokio::test]
async fn every_answer_has_an_example() {
    let server = Server::start().await;
    let document = document(&server).await;
    for (method, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.is_empty(), "{method} {path} has no responses");
        for (status, response) in responses {
            let response = resolved(&document, response);
            let Some(content) = response.get("content").and_then(Value::as_object) else {
                continue;
            };
            let Some(json) = content.get("application/json") else { continue };
            let schema = resolved(&document, &json["schema"]);
            let has_example = ["example", "examples"]
                .iter()
                .any(|key| json.get(key).is_some() || schema.get(key).is_some());
            assert!(has_example, "{method} {path} {status} has no example");
        }
    }
}

#[tokio::test]
async fn the_committed_document_is_the_one_that_is_served() {
    let server = Server::start().await;
    let live = document(&server).await;
    let printed = run(server.folder(), &["openapi"], &[]);
    assert!(printed.status.success(), "{}", printed.said());
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json");
    let committed = std::fs::read_to_string(committed).unwrap_or_default();
    assert!(
        printed.stdout.trim_end() == committed.trim_end(),
        "openapi/openapi.json is out of date: portcullis openapi > openapi/openapi.json"
    );
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(live["paths"], printed["paths"]);
}

#[tokio::test]
async fn the_pages_load_everything_from_here() {
    let server = Server::start().await;
    for page in ["/docs/", "/redoc"] {
        let html = server.anonymous().browse(page).await.expect(200);
        assert!(html.header("content-type").unwrap().starts_with("text/html"), "{page}");
        assert_eq!(foreign_hosts(&html.text), Vec::<String>::new(), "{page}");
        let loaded = resources(&html.text);
        assert!(!loaded.is_empty(), "{page} loads nothing");
        for resource in loaded.iter().filter(|resource| !resource.starts_with("data:")) {
            let path = match resource.strip_prefix("./").unwrap_or(resource) {
                absolute if absolute.starts_with('/') => absolute.to_owned(),
                relative => format!("/{}{relative}", if page == "/docs/" { "docs/" } else { "" }),
            };
            let answer = server.anonymous().get(&path).await.expect(200);
            assert!(!answer.text.is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn the_short_address_of_the_docs_leads_there() {
    let server = Server::start().await;
    let answer = server.anonymous().browse("/docs").await;
    assert!([301, 302, 303, 307, 308].contains(&answer.status), "{answer:?}");
    assert!(answer.header("location").unwrap().ends_with("/docs/"), "{answer:?}");
}

#[tokio::test]
async fn hd_07_the_documents_can_be_switched_off() {
    let server = Server::start_with(&[("DOCS_ENABLED", "false")]).await;
    for path in ["/docs", "/docs/", "/docs/swagger-ui.css", "/redoc", "/openapi.json"] {
        server.anonymous().browse(path).await.is_refused(404, "NOT_FOUND");
    }
    server.anonymous().get("/health").await.is(200);
}
