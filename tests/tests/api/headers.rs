//! The headers that every answer carries, and what other origins may do.

use portcullis_tests::{Answer, PASSWORD, Server};
use reqwest::Method;
use serde_json::json;

const LOGIN: &str = "/api/v1/auth/login";
const OURS: &str = "https://app.example.com";

/// Answers of every kind: pages, documents, successes and refusals.
async fn answers(server: &Server) -> Vec<(&'static str, Answer)> {
    let ann = server.logged_in("ann@example.com").await;
    let anonymous = server.anonymous();
    vec![
        ("health", anonymous.get("/health").await.expect(200)),
        ("docs", anonymous.browse("/docs/").await.expect(200)),
        ("redoc", anonymous.browse("/redoc").await.expect(200)),
        ("openapi", anonymous.get("/openapi.json").await.expect(200)),
        ("jwks", anonymous.get("/.well-known/jwks.json").await.expect(200)),
        ("mailbox", anonymous.browse("/dev/mailbox").await.expect(200)),
        ("reset page", anonymous.browse("/reset-password").await.expect(200)),
        ("login", anonymous.log_in("ann@example.com", PASSWORD).await.expect(200)),
        ("me", ann.me().await.expect(200)),
        ("register", anonymous.register("bob@example.com").await.expect(201)),
        ("logout", ann.log_out().await.expect(204)),
        ("400", anonymous.log_in("ann@example.com", "wrong password").await.expect(400)),
        ("401", ann.me().await.expect(401)),
        ("403", anonymous.get("/api/v1/auth/me").await.expect(403)),
        ("404", anonymous.get("/api/v1/nothing").await.expect(404)),
        ("405", anonymous.get(LOGIN).await.expect(405)),
        ("413", anonymous.post_bytes(LOGIN, "", vec![b' '; 70_000]).await.expect(413)),
        ("415", anonymous.post_bytes(LOGIN, "text/plain", b"x".to_vec()).await.expect(415)),
        ("422", anonymous.post(LOGIN, &json!({})).await.expect(422)),
    ]
}

#[tokio::test]
async fn hd_02_every_answer_carries_the_security_headers() {
    let server = Server::start().await;
    for (what, answer) in answers(&server).await {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{what}");
        assert!(answer.header("permissions-policy").is_some(), "{what}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src"), "{what}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
        let referrer = answer.header("referrer-policy").unwrap_or_default();
        let expected =
            if what == "reset page" { "no-referrer" } else { "strict-origin-when-cross-origin" };
        assert_eq!(referrer, expected, "{what}");
        assert!(answer.header("x-request-id").is_some(), "{what}");
        assert_eq!(answer.header("x-powered-by"), None, "{what}");
        assert_eq!(answer.header("server"), None, "{what}");
    }
}

#[tokio::test]
async fn hd_10_no_answer_sets_a_cookie() {
    let server = Server::start().await;
    for (what, answer) in answers(&server).await {
        assert_eq!(answer.header("set-cookie"), None, "{what}");
    }
}

#[tokio::test]
async fn hd_01_nothing_of_the_api_is_stored() {
    let server = Server::start().await;
    let of_the_api = ["login", "me", "register", "logout"];
    for (what, answer) in answers(&server).await {
        if of_the_api.contains(&what) || answer.status >= 400 {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
        }
    }
}

#[tokio::test]
async fn hd_02_json_may_load_nothing() {
    let server = Server::start().await;
    let answer = server.anonymous().get("/api/v1/auth/me").await.expect(403);
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn hd_02_transport_security_is_asked_for_only_behind_https() {
    let plain = Server::start().await;
    let answer = plain.anonymous().get("/health").await.expect(200);
    assert_eq!(answer.header("strict-transport-security"), None);
    let secure = Server::start_with(&[("PUBLIC_URL", "https://auth.example.com")]).await;
    for path in ["/health", "/docs/", "/api/v1/auth/me"] {
        let answer = secure.anonymous().get(path).await;
        let header = answer.header("strict-transport-security").unwrap_or_default();
        assert!(header.contains("max-age="), "{path}: {header}");
    }
}

#[tokio::test]
async fn op_13_a_request_id_is_kept_if_it_is_one() {
    let server = Server::start().await;
    let longest = "x".repeat(128);
    for good in ["a", "0193-AZaz09._-", &longest] {
        let request = server.anonymous().request(Method::GET, "/health");
        let answer = Answer::to(request.header("x-request-id", good)).await;
        assert_eq!(answer.header("x-request-id"), Some(good));
    }
    let too_long = "x".repeat(129);
    for bad in ["", "a b", "a{b}", "<script>", &too_long] {
        let request = server.anonymous().request(Method::GET, "/health");
        let answer = Answer::to(request.header("x-request-id", bad)).await;
        let own = answer.header("x-request-id").unwrap();
        assert!(own != bad && (1..=128).contains(&own.len()), "{bad:?} became {own:?}");
    }
}

#[tokio::test]
async fn each_request_has_an_id_of_its_own() {
    let server = Server::start().await;
    let first = server.anonymous().get("/health").await;
    let second = server.anonymous().get("/health").await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

async fn from_origin(server: &Server, origin: &str) -> Answer {
    let request = server.anonymous().request(Method::GET, "/health").header("origin", origin);
    Answer::to(request).await
}

async fn preflight(server: &Server, origin: &str) -> Answer {
    let request = server
        .anonymous()
        .request(Method::OPTIONS, LOGIN)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    Answer::to(request).await
}

fn exposes_our_headers(answer: &Answer) {
    let exposed = answer.header("access-control-expose-headers").unwrap().to_ascii_lowercase();
    for name in [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "retry-after",
        "x-request-id",
    ] {
        assert!(exposed.split(',').any(|part| part.trim() == name), "{name}: {exposed}");
    }
}

#[tokio::test]
async fn hd_03_hd_04_by_default_every_origin_may_read_and_none_with_credentials() {
    let server = Server::start().await;
    for answer in [from_origin(&server, OURS).await, preflight(&server, OURS).await] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
    exposes_our_headers(&from_origin(&server, OURS).await);
}

#[tokio::test]
async fn hd_06_a_listed_origin_is_echoed_with_credentials() {
    let list = format!("{OURS},https://two.example.com");
    let server = Server::start_with(&[("CORS_ORIGINS", &list)]).await;
    for origin in [OURS, "https://two.example.com"] {
        for answer in [from_origin(&server, origin).await, preflight(&server, origin).await] {
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            let vary = answer.headers.get_all("vary");
            let vary: Vec<_> = vary.iter().map(|value| value.to_str().unwrap()).collect();
            assert!(vary.join(",").to_ascii_lowercase().contains("origin"), "{vary:?}");
        }
        exposes_our_headers(&from_origin(&server, origin).await);
    }
}

#[tokio::test]
async fn hd_03_hd_05_an_origin_that_is_not_listed_may_read_nothing() {
    let server = Server::start_with(&[("CORS_ORIGINS", OURS)]).await;
    for origin in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "https://evil-app.example.com",
        "http://app.example.com",
        "https://app.example.com:8443",
        "null",
    ] {
        for answer in [from_origin(&server, origin).await, preflight(&server, origin).await] {
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
}

#[tokio::test]
async fn a_preflight_says_what_may_be_sent() {
    let server = Server::start_with(&[("CORS_ORIGINS", OURS)]).await;
    let answer = preflight(&server, OURS).await;
    assert!([200, 204].contains(&answer.status), "{answer:?}");
    let methods = answer.header("access-control-allow-methods").unwrap();
    for method in ["GET", "POST", "PATCH"] {
        assert!(methods.contains(method), "{method}: {methods}");
    }
    let headers = answer.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
    assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
}

#[tokio::test]
async fn a_refusal_may_be_read_by_other_origins_too() {
    let server = Server::start_with(&[("CORS_ORIGINS", OURS)]).await;
    for path in ["/api/v1/auth/me", "/nothing"] {
        let request = server.anonymous().request(Method::GET, path).header("origin", OURS);
        let answer = Answer::to(request).await;
        assert!(answer.status >= 400, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(OURS), "{path}");
    }
}
