//! Bodies that are small to send and dear to read (IN-04 to IN-06, IN-14, IN-15).

use std::fmt::Write;
use std::time::{Duration, Instant};

use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, problem};
use serde_json::json;

use crate::bodies::{is_clean, send};
use crate::routes::{ROUTES, Reads, Route};

const JSON: &str = "application/json";
const LOGIN: &str = "/api/v1/auth/login";
const LIMIT: usize = 64 * 1024;

/// How long the slowest of these took, beside a request that is refused at once.
async fn cost(route: &Route, ann: &LoggedIn, bodies: &[String]) -> Duration {
    let mut slowest = Duration::ZERO;
    for body in bodies {
        let started = Instant::now();
        let answer = send(route, ann, JSON, body.clone().into()).await;
        slowest = slowest.max(started.elapsed());
        let is_token = body.contains("\"token\"") && route.path.ends_with("/verify-email");
        let (status, code) = match body.len() {
            length if length > LIMIT => (413, "PAYLOAD_TOO_LARGE"),
            _ if is_token => (400, "INVALID_TOKEN"),
            _ => (422, "VALIDATION_ERROR"),
        };
        answer.is_refused(status, code);
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
    // Not the one that changes the profile: a field that it does not know is no mistake.
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

/// An empty object, packed by `gzip`.
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
