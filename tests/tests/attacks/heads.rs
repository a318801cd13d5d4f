//! Odd paths, methods, headers and versions (IN-10, IN-11, IN-13, IN-16, IN-17).

use std::time::Duration;

use portcullis_tests::Server;

use crate::routes::{ROUTES, Reads};

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
        "/api/v1/x/../auth/me",
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

/// How long a refusal of what is too big may take.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn in_11_heads_and_targets_have_limits() {
    let server = Server::start().await;
    let get = |target: &str, lines: &str| {
        server.raw(format!("GET {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n"))
    };
    let header = |bytes: usize| format!("X-Padding: {}\r\n", "x".repeat(bytes));
    // What comes in one piece with its end is read before it is measured.
    for (what, answer, codes) in [
        ("300 headers", get("/health", &"X-Y: z\r\n".repeat(300)), &[431][..]),
        ("a header of 64 KiB", get("/health", &header(64 * 1024)), &[431]),
        ("a header of 34 KiB", get("/health", &header(34 * 1024)), &[431]),
        ("headers of 40 KiB", get("/health", &header(1024).repeat(40)), &[431]),
        ("headers of 200 KiB", get("/health", &header(4 * 1024).repeat(50)), &[431]),
        ("a target of 32 KiB", get(&format!("/{}", "x".repeat(32 * 1024)), ""), &[414]),
        ("a query of 9 KiB", get(&format!("/health?{}", "x".repeat(9 * 1024)), ""), &[414]),
        ("a target of 64 KiB", get(&format!("/{}", "x".repeat(64 * 1024)), ""), &[400, 414, 431]),
        (
            "a method of 64 KiB",
            server.raw(format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "X".repeat(64 * 1024))),
            &[404, 431],
        ),
        ("a name of 70 KiB", get("/health", &format!("{}: x\r\n", "X".repeat(70 * 1024))), &[431]),
    ] {
        println!("{what}: {:?}, {codes:?} expected, after {:?}", answer.status(), answer.took);
        // Who hangs up before all of it is read may not be heard.
        answer.is_refused_with(codes);
        assert!(answer.closed && answer.took < SOON, "{what}: {answer:?}");
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
async fn in_16_hd_09_who_the_request_says_is_addressed_changes_nothing_and_is_not_told_back() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let canary = "canary-7d1a.test";
    let forged: Vec<String> = [
        "X-Forwarded-Host: {}",
        "X-Forwarded-Server: {}",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Prefix: /{}",
        "X-Forwarded-Port: 666",
        "X-Forwarded-Scheme: http",
        "Forwarded: host={};proto=http;for=192.0.2.9",
        "X-Original-URL: /api/v1/users/me",
        "X-Rewrite-URL: /api/v1/users/me",
        "X-Original-Host: {}",
        "X-Host: {}",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "X-Real-IP: 192.0.2.9",
        "True-Client-IP: 192.0.2.9",
        "X-Custom-IP-Authorization: 127.0.0.1",
        "Accept-Language: {}",
        "Referer: https://{}/",
        "Cookie: session={}",
        "X-Api-Version: 2",
        "Range: bytes=0-1",
        "If-None-Match: *",
        "If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT",
    ]
    .iter()
    .map(|line| line.replace("{}", canary))
    .collect();
    for route in ROUTES.iter().filter(|route| route.reads == Reads::Nothing) {
        let ask = |host: &str, line: &str| {
            let bearer = &ann.access;
            let answer = server.raw(format!(
                "GET {} HTTP/1.1\r\nHost: {host}\r\n{line}Connection: close\r\n\
                 X-Request-ID: fixed\r\nAuthorization: Bearer {bearer}\r\n\r\n",
                route.path
            ));
            assert!(!answer.text.contains("canary"), "{} {line}: {answer:?}", route.path);
            answer.masked(&[])
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
