//! An old version says so for as long as it lives on.

use portcullis_tests::{Answer, Server};

const DEPRECATION: [&str; 3] = ["deprecation", "sunset", "link"];

async fn deprecated() -> Server {
    Server::start_with(&[
        ("API_V1_DEPRECATED_ON", "2026-12-01"),
        ("API_V1_SUNSET_ON", "2027-06-01"),
        ("API_V1_MIGRATION_URL", "https://example.com/guide"),
    ])
    .await
}

#[track_caller]
fn says_nothing(answer: &Answer) {
    for name in DEPRECATION {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_deprecated_version_says_since_when_until_when_and_what_to_do() {
    let server = deprecated().await;
    let ann = server.logged_in("ann@example.com").await;
    let success = ann.me().await.expect(200);
    let refusal = server.anonymous().log_in("ann@example.com", "wrong password").await.expect(400);
    for answer in [success, refusal] {
        // Midnight at the beginning of 1 December 2026, UTC (RFC 9745).
        assert_eq!(answer.header("deprecation"), Some("@1796083200"));
        assert_eq!(answer.header("sunset"), Some("Tue, 01 Jun 2027 00:00:00 GMT"));
        let link = answer.header("link").unwrap();
        assert!(link.contains("<https://example.com/guide>; rel=\"deprecation\""), "{link}");
    }
}

#[tokio::test]
async fn what_has_no_version_is_not_deprecated() {
    let server = deprecated().await;
    for path in ["/health", "/openapi.json", "/.well-known/jwks.json"] {
        says_nothing(&server.anonymous().get(path).await.expect(200));
    }
}

#[tokio::test]
async fn a_current_version_says_nothing() {
    let server = Server::start().await;
    says_nothing(&server.anonymous().get("/api/v1/auth/me").await.expect(403));
    says_nothing(&server.anonymous().register("ann@example.com").await.expect(201));
}
