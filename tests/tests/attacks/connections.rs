//! Connections that stall, pile up, or are abandoned (DO-02 to DO-05, DO-07).

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_tests::{LoggedIn, PASSWORD, Server, eventually};

const LOGIN: &str = "/api/v1/auth/login";

/// What a slow client does before it dribbles.
fn slow_heads() -> Vec<(&'static str, Vec<u8>)> {
    let head = b"GET /health HTTP/1.1\r\nHost: x\r\n".to_vec();
    // A whole request first: the framework's own limit is for the first head alone.
    let later = [&head[..], b"\r\n", &head].concat();
    vec![("a first head", head), ("a later head", later), ("nothing at all", Vec::new())]
}

fn slow_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let post = |path: &str, rest: &str| {
        let media_type = "Content-Type: application/json";
        format!("POST {path} HTTP/1.1\r\nHost: x\r\n{media_type}\r\n{rest}").into_bytes()
    };
    let (length, chunked) =
        ("Content-Length: 5000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
    vec![
        ("a body with a length", post(LOGIN, length)),
        ("a body in chunks", post(LOGIN, chunked)),
        ("a body that nobody reads", post("/nothing", length)),
        ("chunks that nobody reads", post("/nothing", chunked)),
    ]
}

/// Opens that many connections that send the beginning and then a byte a second;
/// how long until each was closed by the server, and that it was.
fn dribble(port: u16, count: usize, beginning: &[u8], within: Duration) -> Vec<Duration> {
    let started = Instant::now();
    let mut open: Vec<_> = (0..count)
        .map(|_| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(beginning).unwrap();
            stream.set_nonblocking(true).unwrap();
            (stream, Instant::now())
        })
        .collect();
    let is_silent = beginning.is_empty();
    let mut lives = Vec::new();
    let mut byte = 0;
    while !open.is_empty() {
        assert!(started.elapsed() < within, "{} of {count} are open after {within:?}", open.len());
        std::thread::sleep(Duration::from_millis(250));
        byte += 1;
        open.retain_mut(|(stream, since)| {
            let is_gone = is_closed(stream)
                || (!is_silent && byte % 4 == 0 && matches!(stream.write(b"1"), Err(error) if error.kind() != ErrorKind::WouldBlock));
            if is_gone {
                lives.push(since.elapsed());
            }
            !is_gone
        });
    }
    lives.sort();
    lives
}

fn is_closed(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// A picture may take longer than any other body, and its refusal waits for what is
/// left of it: both together stay within the contract's 30 s.
#[tokio::test]
async fn a_picture_that_stalls_is_cut_off_in_time() {
    let server = Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let beginning = |length: &str| {
        let head = "PUT /api/v1/auth/me/avatar HTTP/1.1\r\nHost: x\r\nContent-Type: image/png";
        format!("{head}\r\nAuthorization: Bearer {}\r\n{length}", ann.access).into_bytes()
    };
    let kinds = [
        beginning("Content-Length: 5000\r\n\r\n\u{89}"),
        beginning("Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
    ];
    let port = server.port();
    let attacks = kinds.map(|beginning| {
        std::thread::spawn(move || dribble(port, 3, &beginning, Duration::from_secs(40)))
    });
    for attack in attacks {
        let lives = attack.join().unwrap();
        let last = *lives.last().unwrap();
        assert!(last < Duration::from_secs(30), "{last:?}");
    }
    ann.is_alive().await;
}

/// Files that the server may open for itself while a test looks at its connections.
const OWN: usize = 5;

/// How many descriptors are open while nobody is connected.
async fn at_rest(server: &Server) -> usize {
    eventually("no connection comes or goes", Duration::from_secs(20), async || {
        let before = server.open_descriptors();
        tokio::time::sleep(Duration::from_millis(250)).await;
        (server.open_descriptors() == before).then_some(before)
    })
    .await
}

/// By a shell, which decides how many descriptors there are.
async fn start_with_descriptors(limit: &str) -> Server {
    let preparation = format!("ulimit {limit} && exec \"$@\"");
    Server::start_by(&["sh", "-c", &preparation, "sh"], &[]).await
}

/// How long a normal user waits, many times over: the 99th percentile.
async fn p99(ann: &LoggedIn, count: usize) -> Duration {
    let mut took = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        ann.me().await.is(200);
        took.push(started.elapsed());
    }
    took.sort();
    took[count * 99 / 100]
}

/// Every attack at once, 1,050 connections, while somebody works on.
#[tokio::test]
async fn do_02_do_03_r_51_a_thousand_slow_clients_are_cut_off_and_nobody_else_notices() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    // Who logs in again and again is somebody else: a hundred sessions live.
    server.verified("bob@example.com").await;
    let (port, before) = (server.port(), server.resident_kib());
    let quiet = p99(&ann, 300).await;
    // The contract's bound is 30 s; ours are 9 s for a head and 15 s for a body,
    // and there is the time that it takes to open and to look.
    let kinds = slow_heads()
        .into_iter()
        .map(|kind| (kind, 15))
        .chain(slow_bodies().into_iter().map(|kind| (kind, 21)));
    let attacks: Vec<_> = kinds
        .map(|((what, beginning), seconds)| {
            let attack = move || dribble(port, 150, &beginning, Duration::from_secs(seconds + 9));
            (what, seconds, std::thread::spawn(attack))
        })
        .collect();
    let mut busy = Vec::new();
    let mut logins = 0;
    while attacks.iter().any(|(.., attack)| !attack.is_finished()) {
        busy.push(p99(&ann, 100).await);
        server.anonymous().log_in("bob@example.com", PASSWORD).await.is(200);
        logins += 1;
    }
    for (what, seconds, attack) in attacks {
        let lives = attack.join().unwrap();
        let (first, last) = (lives[0], lives[lives.len() - 1]);
        println!("{what}: {} closed after {first:?} to {last:?}", lives.len());
        assert!(last < Duration::from_secs(seconds), "{what}: {last:?}");
    }
    busy.sort();
    let (median, grown) = (busy[busy.len() / 2], server.resident_kib().saturating_sub(before));
    println!("p99 of a read: {quiet:?} alone, {median:?} meanwhile; {logins} logins; +{grown} KiB");
    assert!(median < quiet * 10 + Duration::from_millis(250), "{quiet:?} became {median:?}");
    assert!(grown < 96 * 1024, "{grown} KiB");
    ann.is_alive().await;
}

/// Something large, asked for by many who do not read it.
#[tokio::test]
async fn do_04_who_does_not_read_holds_little_memory_and_not_for_long() {
    let server = Server::start().await;
    let (port, before) = (server.port(), server.resident_kib());
    let rest = at_rest(&server).await;
    let paths = ["/assets/redoc.js", "/docs/swagger-ui-bundle.js"];
    let mut streams = Vec::new();
    for path in paths.into_iter().cycle().take(40) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // One after the other, as long as the server takes them.
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").repeat(150);
        stream.write_all(request.as_bytes()).unwrap();
        streams.push(stream);
    }
    eventually("all are accepted", Duration::from_secs(5), async || {
        (server.open_descriptors() >= rest + streams.len()).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = server.resident_kib().saturating_sub(before);
    println!("40 who do not read: +{grown} KiB");
    // Requests that are read ahead take some 6 KiB each, 150 of them nearly 1 MiB; the
    // framework reads no more than 128 KiB ahead. Answers held whole would take 100.
    assert!(grown < 60 * 1024, "{grown} KiB");
    server.anonymous().get("/health").await.is(200);
    eventually("the end of all", Duration::from_secs(40), async || {
        (server.open_descriptors() <= rest + OWN).then_some(())
    })
    .await;
    drop(streams);
    server.anonymous().get("/docs/swagger-ui-bundle.js").await.is(200);
}

/// Opens idle connections in a process of its own, which has descriptors of its own.
fn hold_idle(port: u16, count: usize) -> Child {
    let script = format!(
        "import socket,sys\n\
         held=[]\n\
         try:\n\
         \x20for _ in range({count}): held.append(socket.create_connection(('127.0.0.1',{port}),10))\n\
         except OSError as error: print(error)\n\
         print('held',len(held),flush=True)\n\
         sys.stdin.read()\n"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -Sn $(ulimit -Hn); exec python3 -c \"$0\"", &script]);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn held(child: &mut Child) -> usize {
    let mut text = String::new();
    let output = child.stdout.as_mut().unwrap();
    let mut byte = [0];
    while !text.ends_with('\n') || !text.contains("held") {
        output.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
    text.trim().rsplit(' ').next().unwrap().parse().unwrap()
}

fn hard_limit() -> usize {
    let output = Command::new("sh").args(["-c", "ulimit -Hn"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap_or(usize::MAX)
}

#[tokio::test]
async fn do_02_ten_thousand_idle_connections_take_little_and_go_away() {
    let server = start_with_descriptors("-Sn $(ulimit -Hn)").await;
    let ann = server.logged_in("ann@example.com").await;
    let (rest, before) = (at_rest(&server).await, server.resident_kib());
    let wanted = 10_000.min(hard_limit() - 500);
    let mut holder = hold_idle(server.port(), wanted);
    let count = held(&mut holder);
    assert!(count >= wanted, "only {count} of {wanted} could be opened");
    ann.me().await.is(200);
    let grown = server.resident_kib().saturating_sub(before);
    println!("{count} idle connections: +{grown} KiB, {} bytes each", grown * 1024 / count as u64);
    assert!(grown < 400 * 1024, "{grown} KiB");
    let within = Duration::from_secs(30);
    eventually("the end of all that are idle", within, async || {
        (server.open_descriptors() <= rest + OWN).then_some(())
    })
    .await;
    ann.is_alive().await;
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

#[tokio::test]
async fn do_05_without_descriptors_the_server_waits_and_recovers() {
    let rest = at_rest(&Server::start().await).await;
    // Enough for what the server needs besides connections, on as many cores.
    let limit = rest + 80;
    let mut server = start_with_descriptors(&format!("-n {limit}")).await;
    let ann = server.logged_in("ann@example.com").await;
    let mut holder = hold_idle(server.port(), 400);
    assert!(held(&mut holder) >= limit);
    // Nothing to be had now. Then those who are idle are cut off, or go.
    let asking = reqwest::Client::builder().timeout(Duration::from_millis(500)).build().unwrap();
    let nobody = asking.get(format!("{}/health/live", server.url())).send().await;
    assert!(nobody.is_err(), "there are free descriptors: {nobody:?}");
    assert!(server.open_descriptors() >= limit - OWN, "{}", server.open_descriptors());
    holder.kill().unwrap();
    holder.wait().unwrap();
    eventually("an answer", Duration::from_secs(20), async || {
        let answer = ann.anonymous().if_any("/health").await;
        answer.is_ok_and(|answer| answer.status == 200).then_some(())
    })
    .await;
    assert!(!server.has_ended(), "{}", server.log());
    ann.is_alive().await;
    server.registered("bob@example.com").await;
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Sends a request and is gone after that long, without a goodbye.
fn abandon(port: u16, request: &[u8], after: Duration) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return };
    drop(stream.write_all(request));
    std::thread::sleep(after);
    // What has come and is not read makes the system say RST.
    drop(stream);
}

/// Many who hang up in the middle of everything.
fn storm(port: u16, count: usize, requests: &[Vec<u8>]) {
    std::thread::scope(|scope| {
        for client in 0..32 {
            scope.spawn(move || {
                for number in (client..count).step_by(32) {
                    let wait = u64::try_from(number * 7 % 23).unwrap();
                    abandon(port, &requests[number % requests.len()], Duration::from_millis(wait));
                }
            });
        }
    });
}

/// Returns once the server has done what it took on: until then it may say that it
/// is busy.
async fn is_over(server: &Server) {
    eventually("a login is let in", Duration::from_secs(20), async || {
        let answer = server.anonymous().log_in("bob@example.com", PASSWORD).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn do_07_r_50_thousands_who_hang_up_leave_nothing_behind() {
    let open = [
        ("LOCKOUT_THRESHOLD", "1000000"),
        ("LOCKOUT_ACCOUNT_THRESHOLD", "1000000"),
        ("LOG_LEVEL", "warn"),
    ];
    let server = Server::start_with(&open).await;
    let ann = server.logged_in("ann@example.com").await;
    server.verified("bob@example.com").await;
    let json = |path: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let login =
        json(LOGIN, &format!("{{\"email\":\"bob@example.com\",\"password\":\"{PASSWORD}\"}}"));
    let requests: Vec<Vec<u8>> = [
        login.clone(),
        login[..login.len() - 10].to_owned(),
        login[..40].to_owned(),
        json("/api/v1/auth/refresh", "{\"refresh_token\":\"x\"}"),
        json("/api/v1/auth/password-reset/request", "{\"email\":\"ann@example.com\"}"),
        format!(
            "GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
            ann.access
        ),
        "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(4),
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n".repeat(8),
    ]
    .map(String::into_bytes)
    .into();
    let port = server.port();
    storm(port, 5_000, &requests);
    is_over(&server).await;
    let descriptors = at_rest(&server).await;
    // What is held for the most that come at once is held for good, and how many that
    // are depends on how busy the machine is: memory comes to rest after a storm or
    // some. A leak grows with each: 820 bytes for each request would be seen.
    let (mut memory, mut growth) = (server.resident_kib(), Vec::new());
    while growth.last().is_none_or(|grown| *grown > 8 * 1024) {
        assert!(growth.len() < 6, "every storm takes more: {growth:?} KiB");
        let started = Instant::now();
        storm(port, 10_000, &requests);
        println!("10,000 abandoned requests in {:?}", started.elapsed());
        is_over(&server).await;
        eventually("all descriptors", Duration::from_secs(20), async || {
            (server.open_descriptors() <= descriptors + OWN).then_some(())
        })
        .await;
        let before = std::mem::replace(&mut memory, server.resident_kib());
        growth.push(memory.saturating_sub(before));
    }
    println!("memory +{growth:?} KiB; {descriptors} descriptors");
    // However many come at once, they do not take it all.
    assert!(growth.iter().sum::<u64>() < 128 * 1024, "{growth:?} KiB");
    // Fifty in a row, as if nothing had been.
    for _ in 0..50 {
        server.anonymous().log_in("bob@example.com", PASSWORD).await.is(200);
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
    ann.is_alive().await;
}
