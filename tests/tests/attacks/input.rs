//! Hostile bodies, paths and headers (IN).

use std::fmt::Write;
use std::time::{Duration, Instant};

use portcullis_tests::{Answer, LoggedIn, PASSWORD, RawAnswer, Server, problem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::routes::{ROUTES, Reads, Route};

const JSON: &str = "application/json";
const LOGIN: &str = "/api/v1/auth/login";
const LIMIT: usize = 64 * 1024;

/// A clean refusal: a 4xx in the contract's form, whichever.
#[track_caller]
fn is_clean(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    assert!(answer.body["error_code"].is_string(), "{what}: {answer:?}");
}

async fn send(route: &Route, caller: &LoggedIn, media_type: &str, body: Vec<u8>) -> Answer {
    let request = route.by(caller).body(body);
    let request =
        if media_type.is_empty() { request } else { request.header("content-type", media_type) };
    Answer::to(request).await
}

#[tokio::test]
async fn in_01_hd_12_what_a_page_of_another_origin_can_send_unasked_is_refused_everywhere() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for route in ROUTES.iter().filter(|route| route.reads != Reads::Nothing) {
        let others: &[&str] =
            if route.reads == Reads::Json && route.path != LOGIN { &forms } else { &[] };
        for media_type in ["text/plain", "text/html", "application/xml"].iter().chain(others) {
            let request = route.by(&ann).header("origin", "https://evil.test");
            let request = request.header("content-type", *media_type);
            // The whole body, valid in itself: only its name is wrong.
            let answer = Answer::to(request.body(route.body())).await;
            answer.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let request = route.by(&ann).header("content-type", "application/json");
        let twice = request.header("content-type", "text/plain").body(route.body());
        Answer::to(twice).await.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    // Nothing happened: Ann is still called the same and nobody else is there.
    assert_eq!(ann.me().await.expect(200).str("/name"), portcullis_tests::NAME);
    ann.is_alive().await;
    server.anonymous().log_in_by_form("annlee", PASSWORD).await.is_problem(problem::BAD_FORM_LOGIN);
}

#[tokio::test]
async fn in_02_in_08_what_is_no_json_text_is_refused_on_every_route() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in Route::of_json() {
        let good = route.body();
        let open = &good[..good.len() - 1];
        let mut broken: Vec<Vec<u8>> = [
            open.to_owned(),
            format!("{good} x"),
            format!("{good}{good}"),
            good.replace('"', "'"),
            format!("{open},\"x\":NaN}}"),
            format!("{open},\"x\":Infinity}}"),
            format!("{open},\"x\":01}}"),
            format!("{open},}}"),
            format!("{open},\"x\":1 /* */}}"),
            format!("// x\n{good}"),
            format!("\u{feff}{good}"),
            format!("{open},\"x\":\"\t\"}}"),
            format!("{open},\"x\":\"\\x41\"}}"),
            format!("{open},\"x\":\"\\ud800\"}}"),
            format!("{open},\"x\":\"\\udc00\\ud800\"}}"),
            "\0".to_owned(),
        ]
        .into_iter()
        .map(String::into_bytes)
        .collect();
        for raw in [&b"\xff\xfe"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"] {
            broken.push([open.as_bytes(), b",\"x\":\"", raw, b"\"}"].concat());
        }
        broken.push(good.encode_utf16().flat_map(u16::to_le_bytes).collect());
        broken.push(good.encode_utf16().flat_map(u16::to_be_bytes).collect());
        for body in broken {
            send(route, &ann, JSON, body).await.is_malformed();
        }
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_03_a_field_named_twice_is_refused_on_every_route() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in Route::of_json() {
        let good = route.body();
        for (name, _) in route.fields {
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for again in [*name, &escaped] {
                let body = good.replacen('{', &format!("{{\"{again}\":\"other\","), 1);
                send(route, &ann, JSON, body.into()).await.is_malformed();
            }
        }
    }
    for route in Route::of_forms() {
        for (name, _) in route.fields {
            for again in [
                format!("{name}=other"),
                format!("{name}="),
                format!("%{:02x}{}=x", name.as_bytes()[0], &name[1..]),
            ] {
                for body in
                    [format!("{again}&{}", route.body()), format!("{}&{again}", route.body())]
                {
                    let answer = send(route, &ann, route.media_type(), body.into()).await;
                    answer.is_refused(422, "VALIDATION_ERROR");
                }
            }
        }
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut body = part(route.fields[0].0, "other");
        for (name, value) in route.fields {
            body += &part(name, value);
        }
        body += "--x--\r\n";
        let answer = send(route, &ann, "multipart/form-data; boundary=x", body.into()).await;
        answer.is_refused(422, "VALIDATION_ERROR");
    }
    ann.is_alive().await;
}

/// How long the slowest of these took, beside a request that is refused at once.
async fn cost(route: &Route, ann: &LoggedIn, bodies: &[String]) -> Duration {
    let mut slowest = Duration::ZERO;
    for body in bodies {
        let started = Instant::now();
        let answer = send(route, ann, JSON, body.clone().into()).await;
        slowest = slowest.max(started.elapsed());
        is_clean(&answer, route.path);
    }
    slowest
}

/// Wide enough for a busy machine, far below what a bomb would take.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn in_04_nesting_costs_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let mut bombs = Vec::new();
    for depth in [200, 5_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            bombs.push(open.repeat(depth));
            bombs.push(format!("{{\"email\":{}", open.repeat(depth)));
            bombs.push(format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth)));
        }
    }
    for route in Route::of_json() {
        let slowest = cost(route, &ann, &bombs).await;
        assert!(slowest < AT_ONCE, "{}: {slowest:?}", route.path);
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_05_width_costs_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let many = (0..6_000).fold(String::from("{"), |mut text, number| {
        write!(text, "\"{number}\":0,").unwrap();
        text
    }) + "\"x\":0}";
    let bombs = [
        many,
        format!("{{\"{}\":1}}", "k".repeat(60_000)),
        format!("{{\"{}\":1}}", "\\u0041".repeat(10_000)),
        format!("{{\"email\":\"{}\"}}", "\\u0000".repeat(10_000)),
        format!("{{\"token\":\"{}\"}}", "\\\\".repeat(30_000)),
        format!("{{\"x\":[{}1]}}", "1,".repeat(32_000)),
        format!("{{\"x\":[{}[]]}}", "[],".repeat(21_000)),
        format!("{{\"x\":1{}}}", "0".repeat(60_000)),
        format!("{{\"x\":0.{}1}}", "0".repeat(60_000)),
        format!("{{{}\"x\":1}}", " ".repeat(60_000)),
    ];
    // Not the routes that take any text for a token: there it is just a wrong one.
    for route in Route::of_json().filter(|route| !route.path.ends_with("/me")) {
        let slowest = cost(route, &ann, &bombs).await;
        assert!(slowest < AT_ONCE, "{}: {slowest:?}", route.path);
    }
    let fields = "a=&".repeat(20_000);
    let started = Instant::now();
    let answer = server
        .anonymous()
        .post_bytes(LOGIN, "application/x-www-form-urlencoded", fields.into())
        .await;
    is_clean(&answer, "form");
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(1_000);
    let answer =
        server.anonymous().post_bytes(LOGIN, "multipart/form-data; boundary=x", part.into()).await;
    is_clean(&answer, "multipart");
    assert!(started.elapsed() < AT_ONCE * 2, "{:?}", started.elapsed());
    ann.is_alive().await;
}

#[tokio::test]
async fn in_09_odd_values_in_place_of_texts_are_told_as_such() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let odd = [
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "99999999999999999999999999",
        "0.1e1",
        "true",
        "null",
        "[]",
        "[\"ann@example.com\"]",
        "{}",
        "{\"$ne\":null}",
        "{\"email\":\"ann@example.com\"}",
        "[[[\"x\"]]]",
    ];
    for route in Route::of_json().filter(|route| !route.path.ends_with("/me")) {
        for value in odd {
            let fields: Vec<_> =
                route.fields.iter().map(|(name, _)| format!("\"{name}\":{value}")).collect();
            let body = format!("{{{}}}", fields.join(","));
            let answer = send(route, &ann, JSON, body.into()).await;
            answer.is_refused(422, "VALIDATION_ERROR");
        }
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_14_no_text_takes_longer_than_its_length_explains() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let long = |text: &str, count: usize| text.repeat(count);
    let emails = [
        format!("{}@", long("a", 50_000)),
        format!("a@{}", long("a.", 20_000)),
        format!("a@{}", long("-", 50_000)),
        format!("a@{}.com", long("é", 25_000)),
        format!("a@{}.com", long("xn--", 12_000)),
        format!("{}ann", long(" ", 50_000)),
        format!("a@{}", long("\u{300}", 20_000)),
        long("@", 60_000),
    ];
    let combining = format!("e{}", long("\u{301}", 29_000));
    for email in emails {
        let started = Instant::now();
        server.anonymous().log_in(&email, PASSWORD).await.is_invalid(&["email"]);
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
    for name in [combining.clone(), long("\u{202e}", 20_000), long(" ", 60_000), long("a ", 30_000)]
    {
        let started = Instant::now();
        ann.patch_me(&json!({"name": name})).await.is_invalid(&["name"]);
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
    for password in [combining, long("\u{1e9b}\u{323}", 8_000)] {
        let started = Instant::now();
        server.anonymous().log_in("ann@example.com", &password).await.is_invalid(&["password"]);
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
    for token in [long("a.", 30_000), long(".", 60_000), long("-_", 30_000)] {
        let started = Instant::now();
        server.anonymous().refresh(&token).await.is_problem(problem::BAD_REFRESH);
        server.anonymous().verify(&token).await.is_problem(problem::BAD_VERIFICATION);
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
}

/// The login of somebody, packed by `gzip`: nothing that a server has to open.
const PACKED: &[u8] =
    &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];

#[tokio::test]
async fn in_15_a_body_that_would_have_to_be_unpacked_is_refused_unopened() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let before = server.resident_kib();
    for route in ROUTES.iter().filter(|route| route.reads != Reads::Nothing) {
        for encoding in ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "identity, gzip"]
        {
            for body in [PACKED.to_vec(), route.body().into_bytes(), vec![0; LIMIT]] {
                let request = route.by(&ann).header("content-encoding", encoding);
                let request = request.header("content-type", route.media_type());
                let answer = Answer::to(request.body(body)).await;
                answer.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
            }
        }
    }
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
    ann.is_alive().await;
}

#[tokio::test]
async fn in_13_methods_that_nobody_needs_are_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in ROUTES {
        for method in
            ["TRACE", "TRACK", "DEBUG", "PROPFIND", "PURGE", "LINK", "FOO", "get", "DELETE"]
        {
            let answer = server.raw(format!(
                "{method} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                 Authorization: Bearer {}\r\nX-Canary: canary\r\n\r\n",
                route.path, ann.access
            ));
            assert!(matches!(answer.status(), Some(400 | 405 | 501)), "{method}: {answer:?}");
            assert!(!answer.text.contains("canary"), "{method}: {answer:?}");
        }
    }
    for target in ["example.com:443", "127.0.0.1:22", "/api/v1/auth/me"] {
        let answer = server
            .raw(format!("CONNECT {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        assert!(matches!(answer.status(), Some(400 | 404 | 405 | 501)), "{target}: {answer:?}");
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_10_a_path_has_one_spelling() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let get = |path: &str, access: &str| {
        server.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{access}\r\n"))
    };
    let bearer = format!("Authorization: Bearer {}\r\n", ann.access);
    for path in [
        "//api/v1/auth/me",
        "/api//v1/auth/me",
        "/api/v1/auth//me",
        "/./api/v1/auth/me",
        "/api/v1/auth/./me",
        "/api/v1/auth/x/../me",
        "/api/v1/auth/x/%2e%2e/me",
        "/api/v1/auth/%2e/me",
        "/api/v1/auth%2fme",
        "/api/v1/auth%2Fme",
        "/api/v1/auth%252fme",
        "/api/v1/auth/me/",
        "/api/v1/auth/me//",
        "/api/v1/auth/me/.",
        "/api/v1/auth/me%2f",
        "/api/v1/auth/ME",
        "/API/v1/auth/me",
        "/api/V1/auth/me",
        "/api/v1/auth/me;x",
        "/api/v1/auth/me;jsessionid=1",
        "/api/v1/auth/me%00",
        "/api/v1/auth/me%20",
        "/api/v1/auth/me%0a",
        "/api/v1/auth/me.json",
        "/api/v1/auth/me%3f",
        "/api/v1/auth/me%23",
        "/api\\v1\\auth\\me",
        "/api/v1/auth/\u{ff4d}e",
        "/api/v1/auth/%ef%bd%8de",
        "/api/v1/auth/m%C0%A5",
        "*",
        "api/v1/auth/me",
        "?/api/v1/auth/me",
        "/%zz",
        "/%",
        "/api/v1/auth/me%",
    ] {
        for who in ["", bearer.as_str()] {
            get(path, who).is_refused_with(&[400, 404]);
        }
    }
    // The same path, written otherwise: the same handler with all its checks.
    for path in [
        "/api/v1/auth/%6de",
        "/%61pi/v1/auth/me",
        "/api/v1/auth/me?x=/../y",
        "http://evil.test/api/v1/auth/me",
    ] {
        assert_eq!(get(path, "").status(), Some(403), "{path}");
        assert_eq!(get(path, &bearer).status(), Some(200), "{path}");
    }
}

#[tokio::test]
async fn in_11_heads_and_targets_have_limits() {
    let server = Server::start().await;
    let get = |target: &str, lines: &str| {
        server.raw(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n"))
    };
    let header = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));
    for (what, answer, code) in [
        ("300 headers", get("/health", &"X-Y: z\r\n".repeat(300)), 431),
        ("a header of 64 KiB", get("/health", &header(64 * 1024)), 431),
        ("a header of 34 KiB", get("/health", &header(34 * 1024)), 431),
        ("headers of 40 KiB", get("/health", &header(1024).repeat(40)), 431),
        ("headers of 200 KiB", get("/health", &header(4 * 1024).repeat(50)), 431),
        ("a target of 32 KiB", get(&format!("/{}", "x".repeat(32 * 1024)), ""), 414),
        ("a query of 9 KiB", get(&format!("/health?{}", "x".repeat(9 * 1024)), ""), 414),
        ("a target of 64 KiB", get(&format!("/{}", "x".repeat(64 * 1024)), ""), 400),
        (
            "a method of 64 KiB",
            server.raw(format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "X".repeat(64 * 1024))),
            404,
        ),
        ("a name of 70 KiB", get("/health", &format!("{}: x\r\n", "X".repeat(70 * 1024))), 431),
    ] {
        let status = answer.status();
        let is_refused =
            status.is_none() || matches!(status, Some(400 | 413 | 414 | 431 | 405 | 404));
        assert!(is_refused && answer.closed, "{what}: {status:?} {}", answer.closed);
        println!("{what}: {status:?}, {code} expected");
    }
    // What honest clients send is far below.
    let fits = get(
        "/health",
        &format!("Connection: close\r\n{}{}", header(16 * 1024), "X-Y: z\r\n".repeat(60)),
    );
    assert_eq!(fits.status(), Some(200));
    let fits = get(&format!("/health?{}", "x".repeat(8_000)), "Connection: close\r\n");
    assert_eq!(fits.status(), Some(200));
}

#[tokio::test]
async fn in_16_hd_09_who_the_request_says_is_addressed_changes_nothing_and_is_not_told_back() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let canary = "canary-7d1a.test";
    let forged: Vec<String> = [
        "X-Forwarded-Host: C",
        "X-Forwarded-Server: C",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Prefix: /C",
        "X-Forwarded-Port: 666",
        "X-Forwarded-Scheme: http",
        "Forwarded: host=C;proto=http;for=192.0.2.9",
        "X-Original-URL: /api/v1/users/me",
        "X-Rewrite-URL: /api/v1/users/me",
        "X-Original-Host: C",
        "X-Host: C",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X-Real-IP: 192.0.2.9",
        "True-Client-IP: 192.0.2.9",
        "X-Custom-IP-Authorization: 127.0.0.1",
        "Accept-Language: C",
        "Referer: https://C/",
        "Cookie: session=C",
        "X-Api-Version: 2",
        "Range: bytes=0-1",
        "If-None-Match: *",
        "If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT",
    ]
    .iter()
    .map(|line| line.replace('C', canary))
    .collect();
    for route in ROUTES.iter().filter(|route| route.reads == Reads::Nothing) {
        let ask = |host: &str, line: &str| {
            let bearer = &ann.access;
            let answer = server.raw(format!(
                "GET {} HTTP/1.1\r\nHost: {host}\r\n{line}Connection: close\r\n\
                 X-Request-ID: fixed\r\nAuthorization: Bearer {bearer}\r\n\r\n",
                route.path
            ));
            let text = answer.text.clone();
            assert!(!text.contains("canary"), "{} {line}: {text}", route.path);
            without_times(&text)
        };
        let plain = ask("localhost", "");
        for line in &forged {
            assert_eq!(ask("localhost", &format!("{line}\r\n")), plain, "{} {line}", route.path);
        }
        for host in [canary, "", "localhost:99999", "a b", "[::1", "localhost/../x", "évil"] {
            let answer = ask(host, "");
            assert!(
                answer == plain || answer.starts_with("HTTP/1.1 400"),
                "{} {host}: {answer}",
                route.path
            );
        }
    }
    let twice = server.raw("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    twice.is_refused_with(&[400]);
}

/// An answer without its moments, which differ from one to the next.
fn without_times(text: &str) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    // Neither headers nor the items of this one have an order.
    let is_told = |line: &&str| {
        !line.starts_with("date: ") && !line.starts_with("access-control-expose-headers: ")
    };
    let mut lines: Vec<_> = head.lines().filter(is_told).collect();
    lines[1..].sort_unstable();
    let body = match body.split_once("\"timestamp\":\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').unwrap().1),
        None => body.to_owned(),
    };
    format!("{}\n{body}", lines.join("\n"))
}

#[tokio::test]
async fn in_17_http_2_is_not_spoken() {
    let server = Server::start().await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    server.raw(preface).is_refused_with(&[400, 404, 405, 505]);
    for upgrade in ["h2c", "websocket", "TLS/1.0, HTTP/2.0"] {
        let answer = server.raw(format!(
            "GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\n\
             Upgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        ));
        assert_eq!(answer.status(), Some(200), "{upgrade}: {answer:?}");
        assert!(!answer.text.contains("101 "), "{answer:?}");
    }
    server.anonymous().get("/health").await.is(200);
}

#[tokio::test]
async fn in_18_a_query_is_no_body_and_no_header() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let token = server.registered("bob@example.com").await;
    let query = format!("?email=ann@example.com&password={PASSWORD}&username=ann@example.com");
    let anonymous = server.anonymous();
    let login = format!("{LOGIN}{query}");
    anonymous.post(&login, &json!({})).await.is_missing(&["email", "password"]);
    let wrong = json!({"email": "eve@example.com", "password": "another one"});
    anonymous.post(&login, &wrong).await.is_problem(problem::BAD_LOGIN);
    anonymous
        .post_form(&login, &[("username", "eve"), ("password", "x")])
        .await
        .is_problem(problem::BAD_FORM_LOGIN);
    let verify = format!("/api/v1/auth/verify-email?token={token}");
    anonymous.post(&verify, &json!({"token": "x"})).await.is_problem(problem::BAD_VERIFICATION);
    anonymous.post(&verify, &json!({})).await.is_missing(&["token"]);
    anonymous.get(&verify).await.is(405);
    for name in ["access_token", "token", "authorization", "Authorization", "bearer"] {
        let me = format!("/api/v1/auth/me?{name}={0}&{name}={0}", ann.access);
        anonymous.get(&me).await.is_problem(problem::NO_BEARER);
    }
    let refresh = format!("/api/v1/auth/refresh?refresh_token={}", ann.refresh);
    anonymous.post(&refresh, &json!({})).await.is_missing(&["refresh_token"]);
    anonymous.verify(&token).await.is(200);
    ann.is_alive().await;
}

#[tokio::test]
async fn in_06_a_body_is_refused_as_soon_as_it_is_known_to_be_too_big() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in ROUTES.iter().filter(|route| route.reads != Reads::Nothing) {
        let head = format!(
            "{} {} HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nAuthorization: Bearer {}\r\n",
            route.method,
            route.path,
            route.media_type(),
            ann.access
        );
        for length in ["65537", "100000000", "9223372036854775807"] {
            let answer = server.raw(format!("{head}Content-Length: {length}\r\n\r\n"));
            assert_eq!(answer.status(), Some(413), "{}: {answer:?}", route.path);
            assert!(answer.closed && answer.took < Duration::from_secs(5), "{answer:?}");
        }
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(20));
        let answer = server.raw(format!("{endless}0\r\n\r\n"));
        answer.is_refused_with(&[413]);
        assert!(answer.closed && answer.took < Duration::from_secs(13), "{answer:?}");
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_06_bodies_without_end_take_no_memory() {
    let server = Server::start().await;
    let (before, port) = (server.resident_kib(), server.port());
    let flood = || {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        let head =
            format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        // Until the server has had enough, and 20 MB at most.
        (0..320).take_while(|_| stream.write_all(chunk.as_bytes()).is_ok()).count()
    };
    let taken: Vec<_> = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..40).map(|_| scope.spawn(flood)).collect();
        floods.into_iter().map(|flood| flood.join().unwrap()).collect()
    });
    let grown = server.resident_kib().saturating_sub(before);
    println!("40 endless bodies: {grown} KiB more; chunks of 64 KiB taken: {taken:?}");
    assert!(taken.iter().all(|chunks| *chunks < 160), "{taken:?}");
    assert!(grown < 48 * 1024, "{grown} KiB");
    server.anonymous().get("/health").await.is(200);
}

/// Sends all at the same time: some are left waiting until they are cut off.
fn raws(server: &Server, requests: &[String]) -> Vec<RawAnswer> {
    std::thread::scope(|scope| {
        let sent: Vec<_> =
            requests.iter().map(|request| scope.spawn(move || server.raw(request))).collect();
        sent.into_iter().map(|sending| sending.join().unwrap()).collect()
    })
}

/// What a second request, hidden in the first, would be answered with.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn in_12_no_request_hides_in_another() {
    let server = Server::start().await;
    let head = format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n");
    let hidden = HIDDEN.len();
    let with_lengths: Vec<String> = [
        // Both, either way round, and twice the same.
        format!("Content-Length: {hidden}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {hidden}\r\n"),
        "Content-Length: 4\r\nTransfer-Encoding: identity\r\n".into(),
        "Content-Length: 4\r\nContent-Length: 5\r\n".into(),
        "Content-Length: 4\r\nContent-Length: 4\r\n".into(),
        "Content-Length: 4, 4\r\n".into(),
        "Content-Length: 4,5\r\n".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".into(),
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n".into(),
        // Codings that one reader knows and another does not.
        "Transfer-Encoding: chunked, identity\r\n".into(),
        "Transfer-Encoding: identity, chunked\r\n".into(),
        "Transfer-Encoding: gzip, chunked\r\n".into(),
        "Transfer-Encoding: xchunked\r\n".into(),
        "Transfer-Encoding: chunked;q=1\r\n".into(),
        "Transfer-Encoding: \"chunked\"\r\n".into(),
        "Transfer-Encoding: chun\tked\r\n".into(),
        "Transfer-Encoding: \u{b}chunked\r\n".into(),
        "Transfer-Encoding:\r\n".into(),
        // Names and lines that are almost right.
        "Transfer-Encoding : chunked\r\n".into(),
        "Content-Length : 4\r\n".into(),
        " Transfer-Encoding: chunked\r\n".into(),
        "X: y\r\n Transfer-Encoding: chunked\r\n".into(),
        "Transfer-Encoding:\r\n chunked\r\n".into(),
        "Transfer-Encoding\u{0}: chunked\r\n".into(),
        "X: y\u{0}\r\nContent-Length: 4\r\n".into(),
        "X: y\rContent-Length: 4\r\n".into(),
        "Transfer_Encoding : chunked\r\n".into(),
        // Lengths that are no numbers.
        "Content-Length: +4\r\n".into(),
        "Content-Length: -4\r\n".into(),
        "Content-Length: 0x4\r\n".into(),
        "Content-Length: 4 4\r\n".into(),
        "Content-Length: 4.0\r\n".into(),
        "Content-Length: \r\n".into(),
        "Content-Length: 18446744073709551620\r\n".into(),
        "Content-Length: 4;\r\n".into(),
    ]
    .into();
    let mut requests = Vec::new();
    for lengths in with_lengths {
        for body in ["0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"] {
            requests.push(format!("{head}{lengths}\r\n{body}{HIDDEN}"));
        }
    }
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        answer.is_refused_with(&[400, 501]);
        assert!(answer.closed && !answer.text.contains("404 "), "{request}: {answer:?}");
    }
    let chunks = [
        "-1\r\nx\r\n",
        "+1\r\nx\r\n",
        "0x1\r\nx\r\n",
        "1 1\r\nx\r\n",
        "g\r\nx\r\n",
        "\r\n",
        "10000000000000001\r\nx\r\n",
        "1\r\nxy\r\n",
        "1\r\nx0\r\n\r\n",
        "1\nx\n0\n\n",
        "1;\u{0}\r\nx\r\n",
        "00000000000000000000000000000001\r\nx\r\n",
    ];
    let requests: Vec<_> = chunks
        .iter()
        .map(|chunks| format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}"))
        .collect();
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        // Refused, or cut off while it waits for the end of a body that has none.
        let answers = answer.text.matches("HTTP/1.1 ").count();
        assert!(answer.closed && answers <= 1, "{request}: {answer:?}");
        assert!(!answer.text.contains("404 "), "{request}: {answer:?}");
    }
}

#[tokio::test]
async fn in_12_what_nobody_reads_of_a_body_is_no_request() {
    let server = Server::start().await;
    let hidden = HIDDEN.len();
    let close = "Connection: close\r\n";
    let mut requests = Vec::new();
    // Handlers that read no body, and paths that have no handler.
    for (method, path) in
        [("GET", "/health"), ("POST", "/nothing"), ("GET", "/api/v1/auth/me"), ("POST", "/health")]
    {
        for rest in [
            format!("{close}Content-Length: {hidden}\r\n\r\n{HIDDEN}"),
            format!("{close}Transfer-Encoding: chunked\r\n\r\n{hidden:x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
            format!("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n{HIDDEN}"),
            format!("{close}Expect: 100-continue\r\nContent-Length: {hidden}\r\n\r\n{HIDDEN}"),
        ] {
            requests.push(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{rest}"));
        }
    }
    // HTTP/1.0 knows no chunks.
    requests.push(format!(
        "POST {LOGIN} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"
    ));
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        let answers = answer.text.matches("HTTP/1.").count();
        let continues = answer.text.matches("HTTP/1.1 100").count();
        assert!(answers - continues <= 1, "{request}: {answer:?}");
    }
}

#[tokio::test]
async fn in_07_nul_and_what_else_no_database_keeps_is_a_clean_refusal() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let anonymous = server.anonymous();
    for (number, route) in Route::of_json().enumerate() {
        for (name, value) in route.fields {
            for odd in ["\0", "a\0b", "\u{1}", "\u{7f}", "\u{ffff}", "\u{10ffff}", "\u{feff}"] {
                let mut body: Value = serde_json::from_str(&route.body()).unwrap();
                if let Some(email) = body.get_mut("email") {
                    *email = json!(format!("nul{number}@example.com"));
                }
                body[name] = json!(format!("{value}{odd}"));
                let answer = Answer::to(route.by(&ann).json(&body)).await;
                assert!(answer.status < 500, "{} {name} {odd:?}: {answer:?}", route.path);
                let is_text = ["email", "name"].contains(name);
                if is_text && odd.contains('\0') {
                    answer.is_invalid(&[name]);
                }
            }
        }
    }
    for (name, _) in Route::of_forms().next().unwrap().fields {
        let fields = Route::of_forms().next().unwrap().fields.iter();
        let fields: Vec<_> = fields
            .map(|(known, value)| (*known, if known == name { "a\0b" } else { *value }))
            .collect();
        let answer = anonymous.post_form("/api/v1/auth/signup", &fields).await;
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
    }
    for path in [
        "/api/v1/auth/verify-email/%00",
        "/api/v1/auth/verify-email/a%00b",
        "/api/v1/auth/me%00",
        "/%00",
    ] {
        let answer = Answer::to(ann.request(Method::GET, path)).await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{path}: {answer:?}");
    }
    ann.is_alive().await;
}
