//! Headers, and what other origins may do (HD).

use portcullis_tests::{Answer, NAME, Server};
use reqwest::Method;

use crate::routes::{ROUTES, Reads};

const OURS: &str = "https://app.example.com";

/// What a route answers to a good request, to one without a body and to one
/// of nobody.
async fn answers(server: &Server) -> Vec<(String, Answer)> {
    let ann = server.logged_in("ann@example.com").await;
    let mut answers = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path != "/api/v1/auth/logout") {
        let what = |kind: &str| format!("{} {}: {kind}", route.method, route.path);
        let good = route.by(&ann).header("content-type", route.media_type()).body(route.body());
        answers.push((what("good"), Answer::to(good).await));
        answers.push((what("without a body"), Answer::to(route.by(&ann)).await));
        let verb: Method = route.method.parse().unwrap();
        let nobody = server.anonymous().request(verb, route.path).body("{");
        answers.push((what("of nobody"), Answer::to(nobody).await));
        let other = server.anonymous().request(Method::DELETE, route.path);
        answers.push((what("another method"), Answer::to(other).await));
    }
    answers
}

#[tokio::test]
async fn hd_01_hd_02_hd_10_every_route_says_so_in_success_and_in_failure() {
    let server = Server::start_with(&[("PUBLIC_URL", "https://auth.example.com")]).await;
    let answers = answers(&server).await;
    let (good, bad) = answers.iter().fold((0, 0), |(good, bad), (_, answer)| {
        if answer.status < 400 { (good + 1, bad) } else { (good, bad + 1) }
    });
    assert!(good > 10 && bad > 40, "{good} successes, {bad} failures");
    for (what, answer) in answers {
        if what.contains("/api/") {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}: {answer:?}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{what}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'"), "{what}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
        assert!(answer.header("referrer-policy").is_some(), "{what}");
        let transport = answer.header("strict-transport-security").unwrap_or_default();
        assert!(transport.contains("max-age="), "{what}");
        for telling in ["server", "x-powered-by", "via", "set-cookie"] {
            assert_eq!(answer.header(telling), None, "{what}");
        }
    }
}

#[tokio::test]
async fn hd_05_hd_06_only_the_very_origin_is_allowed_and_caches_are_told_that_it_matters() {
    let server = Server::start_with(&[("CORS_ORIGINS", OURS)]).await;
    for path in ["/health", "/api/v1/auth/me", "/nothing"] {
        for origin in [
            "",
            "null",
            "https://app.example.com.evil.test",
            "https://evilapp.example.com",
            "https://app.example.com:443",
            "https://app.example.com:8443",
            "http://app.example.com",
            "https://APP.example.com",
            "https://app.example.com/",
            "https://app.example.com.",
            "https://app.example.com@evil.test",
            "https://app.example.com https://evil.test",
            "https://app.example.com,https://evil.test",
            "https://xapp.example.com",
            "https://app.example.comx",
            "https://app-example.com",
            "https://sub.app.example.com",
            "https://app.example.com\u{e9}",
            "//app.example.com",
            "app.example.com",
            "*",
        ] {
            for method in [Method::GET, Method::OPTIONS] {
                let request = server.anonymous().request(method, path);
                let request = request.header("origin", origin.as_bytes());
                let answer =
                    Answer::to(request.header("access-control-request-method", "GET")).await;
                assert_eq!(
                    answer.header("access-control-allow-origin"),
                    None,
                    "{origin}: {answer:?}"
                );
                varies(&answer, origin);
            }
        }
        varies(&server.anonymous().get(path).await, "no origin");
        let ours = server.anonymous().request(Method::GET, path).header("origin", OURS);
        let ours = Answer::to(ours).await;
        assert_eq!(ours.header("access-control-allow-origin"), Some(OURS), "{ours:?}");
        varies(&ours, OURS);
    }
}

#[track_caller]
fn varies(answer: &Answer, what: &str) {
    let values = answer.headers.get_all("vary").iter();
    let vary: Vec<_> = values.map(|value| value.to_str().unwrap().to_ascii_lowercase()).collect();
    let names = vary.join(",");
    assert!(names.split(',').any(|name| name.trim() == "origin"), "{what}: {answer:?}");
}

#[tokio::test]
async fn hd_04_a_star_is_sent_as_a_star_and_never_with_credentials() {
    let server = Server::start().await;
    for origin in ["https://evil.test", "null", "https://app.example.com"] {
        for method in [Method::GET, Method::OPTIONS] {
            for path in ["/health", "/api/v1/auth/me", "/nothing"] {
                let request = server.anonymous().request(method.clone(), path);
                let request = request.header("origin", origin);
                let answer =
                    Answer::to(request.header("access-control-request-method", "GET")).await;
                let allowed = answer.header("access-control-allow-origin");
                assert_eq!(allowed, Some("*"), "{origin} {path}: {answer:?}");
                assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer:?}");
            }
        }
    }
    let refused = portcullis_tests::run(
        server.folder(),
        &["config"],
        &[("CORS_ORIGINS", "*,https://a.test")],
    );
    assert!(!refused.status.success(), "a star beside a list: {}", refused.said());
}

#[tokio::test]
async fn hd_11_nothing_personal_can_be_asked_for_as_if_it_were_a_file() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for me in ["/api/v1/auth/me", "/api/v1/users/me"] {
        for trick in [
            "/x.css",
            ".css",
            "/..%2fx.css",
            ";x.css",
            "%2fx.css",
            "%0a.css",
            "%00.css",
            "%3fx.css",
            "%23.css",
            "/.js",
            "/favicon.ico",
            "\\x.png",
            "//x.css",
            "/index.html",
        ] {
            let answer = Answer::to(ann.request(Method::GET, &format!("{me}{trick}"))).await;
            assert!([400, 404].contains(&answer.status), "{trick}: {answer:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{trick}");
            assert!(!answer.text.contains("ann@"), "{trick}: {answer:?}");
        }
        for query in ["?x.css", "?cache=1", "?.js"] {
            let answer = Answer::to(ann.request(Method::GET, &format!("{me}{query}"))).await;
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{query}");
        }
    }
    assert_eq!(ann.me().await.str("/name"), NAME);
}

#[tokio::test]
async fn hd_12_a_page_of_another_origin_has_nobodys_rights() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let cookie =
        format!("access_token={0}; session={0}; refresh_token={1}", ann.access, ann.refresh);
    for route in
        ROUTES.iter().filter(|route| route.path.ends_with("/me") || route.path.ends_with("logout"))
    {
        let verb: Method = route.method.parse().unwrap();
        let request = server.anonymous().request(verb, route.path);
        let request = request.header("origin", "https://evil.test").header("cookie", &cookie);
        let body = if route.reads == Reads::Nothing { String::new() } else { route.body() };
        let answer =
            Answer::to(request.header("content-type", "application/json").body(body)).await;
        assert!([401, 403].contains(&answer.status), "{}: {answer:?}", route.path);
    }
    ann.is_alive().await;
}
