//! What is not a request of the contract.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use portcullis_tests::{Answer, PASSWORD, RawAnswer, Server, problem};
use reqwest::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const LOGIN: &str = "/api/v1/auth/login";
/// Every route that takes JSON, and the texts that it asks for.
const ROUTES: [(&str, &[&str]); 8] = [
    ("/api/v1/auth/register", &["email", "name", "password"]),
    (LOGIN, &["email", "password"]),
    ("/api/v1/auth/verify-email", &["token"]),
    ("/api/v1/auth/verify-email/resend", &["email"]),
    ("/api/v1/auth/refresh", &["refresh_token"]),
    ("/api/v1/auth/password-reset/request", &["email"]),
    ("/api/v1/auth/password-reset/confirm", &["token", "new_password"]),
    ("/api/v1/auth/logout", &["refresh_token"]),
];

#[tokio::test]
async fn in_09_fields_of_the_wrong_type_are_all_named() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for (path, fields) in ROUTES {
        for wrong in [json!(5), json!(true), json!(["x"]), json!({"x": 1}), Value::Null] {
            let body: Value = fields.iter().map(|field| (*field, wrong.clone())).collect();
            let answer = Answer::to(ann.request(Method::POST, path).json(&body)).await;
            answer.is_invalid(fields);
        }
    }
}

#[tokio::test]
async fn missing_fields_are_all_named() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for (path, fields) in ROUTES {
        let answer = Answer::to(ann.request(Method::POST, path).json(&json!({}))).await;
        answer.is_missing(fields);
    }
}

#[tokio::test]
async fn in_02_json_that_is_no_object_is_refused() {
    let server = Server::start().await;
    for other in ["null", "[]", "\"text\"", "5", "true"] {
        let answer = server.anonymous().post_bytes(LOGIN, JSON, other.into()).await;
        answer.is_refused(422, "VALIDATION_ERROR");
    }
    let nothing = server.anonymous().post_bytes(LOGIN, JSON, Vec::new()).await;
    nothing.is_missing(&["email", "password"]);
}

#[tokio::test]
async fn in_07_nul_is_refused_where_it_cannot_be_stored() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    anonymous.log_in("ann\0@example.com", PASSWORD).await.is_invalid(&["email"]);
    for path in ["/api/v1/auth/verify-email/%00", "/api/v1/auth/verify-email/a%00b"] {
        let answer = anonymous.get(path).await;
        assert!([400, 404, 422].contains(&answer.status), "{path}: {answer:?}");
    }
    anonymous.refresh("a\0b").await.is_problem(problem::BAD_REFRESH);
}

#[tokio::test]
async fn in_08_a_form_that_is_no_text_is_refused() {
    let server = Server::start().await;
    for broken in ["username=%FF&password=x", "username=a&password=%C0%80"] {
        let answer = server.anonymous().post_bytes(LOGIN, FORM, broken.into()).await;
        answer.is_refused(422, "VALIDATION_ERROR");
    }
    let bytes = b"username=\xff&password=x".to_vec();
    server.anonymous().post_bytes(LOGIN, FORM, bytes).await.is_refused(422, "VALIDATION_ERROR");
}

#[tokio::test]
async fn in_06_a_body_of_64_kib_is_read_and_a_bigger_one_is_not() {
    let server = Server::start().await;
    let body = |bytes: usize| {
        let start = format!("{{\"email\":\"a@example.com\",\"password\":\"{PASSWORD}\",\"x\":\"");
        let padding = bytes - start.len() - 2;
        format!("{start}{}\"}}", "x".repeat(padding)).into_bytes()
    };
    let limit = 64 * 1024;
    let fits = server.anonymous().post_bytes(LOGIN, JSON, body(limit)).await;
    fits.is_problem(problem::BAD_LOGIN);
    let too_big = server.anonymous().post_bytes(LOGIN, JSON, body(limit + 1)).await;
    too_big.is_refused(413, "PAYLOAD_TOO_LARGE");
    let form = format!("username=a&password={}", "x".repeat(limit)).into_bytes();
    let too_big = server.anonymous().post_bytes(LOGIN, FORM, form).await;
    too_big.is_refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn a_body_that_does_not_say_what_it_is_is_read_as_json() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "password": PASSWORD}).to_string();
    server.anonymous().post_bytes(LOGIN, "", body.clone().into()).await.is(200);
    let charset = "Application/JSON; charset=utf-8";
    server.anonymous().post_bytes(LOGIN, charset, body.into()).await.is(200);
}

#[tokio::test]
async fn an_unknown_path_is_not_found_in_json() {
    let server = Server::start().await;
    for path in ["/", "/nothing", "/api", "/api/v1/nothing", "/api/v2/auth/login", "/health/x"] {
        server.anonymous().get(path).await.is_refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_wrong_method_is_refused_and_the_right_ones_are_named() {
    let server = Server::start().await;
    for (method, path, right) in [
        (Method::GET, LOGIN, "POST"),
        (Method::DELETE, LOGIN, "POST"),
        (Method::PUT, "/api/v1/auth/me", "PATCH"),
        (Method::DELETE, "/api/v1/auth/me", "GET"),
        (Method::POST, "/api/v1/users/me", "GET"),
        (Method::POST, "/health", "GET"),
        (Method::PUT, "/api/v1/auth/verify-email", "POST"),
    ] {
        let answer = Answer::to(server.anonymous().request(method, path)).await;
        answer.is_refused(405, "METHOD_NOT_ALLOWED");
        let allowed = answer.header("allow").expect("Allow is sent").to_owned();
        assert!(allowed.split(',').any(|method| method.trim() == right), "{path}: {allowed}");
    }
}

#[tokio::test]
async fn a_header_does_not_change_the_method() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let request = ann.request(Method::POST, "/api/v1/auth/me");
    let request = request.header("x-http-method-override", "PATCH");
    Answer::to(request.json(&json!({"name": "Eve"}))).await.is(405);
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = Server::start().await;
    for nonsense in
        ["nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"]
    {
        server.raw(nonsense).is_refused_with(&[400, 505]);
    }
    server.anonymous().get("/health").await.is(200);
}

#[tokio::test]
async fn who_stalls_is_cut_off_within_30_seconds() {
    let server = Server::start().await;
    let stalls = [
        format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Ty"),
        format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{\"email\""),
    ];
    let waiting: Vec<_> = stalls
        .into_iter()
        .map(|stall| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
            std::thread::spawn(move || {
                stream.write_all(stall.as_bytes()).unwrap();
                RawAnswer::rest_of(&mut stream)
            })
        })
        .collect();
    for thread in waiting {
        let answer = thread.join().unwrap();
        assert!(answer.closed && answer.took < Duration::from_secs(32), "{answer:?}");
        assert!(matches!(answer.status(), None | Some(400 | 408)), "{answer:?}");
    }
}

#[tokio::test]
async fn no_refusal_repeats_a_secret() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let canary = "canary-7d1a";
    for (path, fields) in ROUTES {
        for value in [json!([canary]), json!({canary: canary}), json!(canary.repeat(200))] {
            let body: Value = fields.iter().map(|field| (*field, value.clone())).collect();
            let answer = Answer::to(ann.request(Method::POST, path).json(&body)).await;
            let headers = format!("{:?}", answer.headers);
            assert!(!answer.text.contains(canary) && !headers.contains(canary), "{answer:?}");
            assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        }
        let broken = format!("{{\"password\": \"{canary}\", {canary}");
        let answer = server.anonymous().post_bytes(path, JSON, broken.into()).await;
        answer.is_malformed();
        assert!(!answer.text.contains(canary), "{answer:?}");
    }
    assert!(!server.log().contains(canary), "{}", server.log());
}

#[tokio::test]
async fn pages_tell_which_methods_they_have() {
    let server = Server::start().await;
    for path in ["/docs", "/redoc", "/openapi.json", "/reset-password", "/assets/pages.css"] {
        for method in [Method::PUT, Method::HEAD, Method::OPTIONS] {
            let answer = server.anonymous().request(method.clone(), path).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()["allow"], "GET", "{method} {path}");
        }
    }
}
