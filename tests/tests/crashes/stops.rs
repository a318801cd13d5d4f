//! Stopping while clients ask.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use portcullis_testkit::Postgres;
use portcullis_tests::keep_alive::{Asked, Caller, MANY_LOGINS, VISITOR};
use portcullis_tests::{PASSWORD, RawAnswer, Server, at_once, eventually};
use reqwest::{Client, StatusCode};
use serde_json::json;

const ROUNDS: usize = 8;
const CONNECTIONS: usize = 64;

/// What R-07 allows from the signal to the end.
const STOP: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn r_07_no_request_of_64_busy_connections_is_cut_when_the_server_is_told_to_stop() {
    let mut server = Server::start_with(&MANY_LOGINS).await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    server.signed_up(VISITOR, "visitor@example.com").await;
    let (mut answered, mut announced, mut slowest) = (0, 0, Duration::ZERO);
    for _ in 0..ROUNDS {
        let (url, john) = (server.url(), john.clone());
        let clients = tokio::spawn(at_once(CONNECTIONS, move |number| {
            Caller::new(&url, &john, number).until_refused()
        }));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = Instant::now();
        let status = server.terminate().await;
        slowest = slowest.max(asked.elapsed());
        assert_eq!(status.code(), Some(0), "{}", server.log());
        for Asked { answered: of_one, announced: told, failed, .. } in clients.await.unwrap() {
            assert_eq!(failed, Vec::<String>::new(), "after {of_one} answers");
            answered += of_one;
            announced += usize::from(told);
        }
        server.restart().await;
    }
    println!(
        "{ROUNDS} stops under {CONNECTIONS} connections: {answered} answers, 0 lost, the end of \
         {announced} connections announced; stopped after {slowest:?} at most"
    );
    assert!(answered > ROUNDS * CONNECTIONS, "{answered} answers only");
    assert!(announced > 0, "no connection's end was announced");
    assert!(slowest < STOP, "{slowest:?}");
}

const REQUEST: &str = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// Opens a connection that has had an answer and is kept.
fn kept(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(REQUEST.as_bytes()).unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"}}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    assert!(!String::from_utf8_lossy(&read).to_lowercase().contains("connection: close"));
    stream
}

/// Whether nobody gets a new connection. Who asks may be refused or ignored.
fn is_shut(port: u16) -> bool {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    TcpStream::connect_timeout(&address, Duration::from_millis(50)).is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn r_08_kept_connections_are_served_until_their_end_is_announced_and_hold_up_no_stop() {
    let mut server = Server::start().await;
    let (mut idle, mut busy, mut half) = (kept(&server), kept(&server), kept(&server));
    half.write_all(&REQUEST.as_bytes()[..20]).unwrap();
    let asked = Instant::now();
    server.ask_to_stop();
    let port = server.port();
    eventually("no new connections", Duration::from_secs(5), async || is_shut(port).then_some(()))
        .await;
    // The server has not said a word on these connections yet.
    half.write_all(&REQUEST.as_bytes()[20..]).unwrap();
    busy.write_all(REQUEST.as_bytes()).unwrap();
    for stream in [&mut half, &mut busy] {
        let last = RawAnswer::rest_of(stream);
        assert_eq!(last.status(), Some(200), "{last:?}");
        assert!(last.text.to_lowercase().contains("connection: close"), "{last:?}");
        assert!(last.closed);
    }
    let nothing = RawAnswer::rest_of(&mut idle);
    assert_eq!((nothing.text.as_str(), nothing.closed), ("", true));
    let status = server.stopped().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(asked.elapsed() < STOP, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn r_07_a_second_signal_ends_a_stop_that_takes_too_long() {
    let mut server = Server::start().await;
    let mut stalled = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
    stalled.write_all(head.as_bytes()).unwrap();
    server.anonymous().get("/health").await.is(200);
    server.ask_to_stop();
    let port = server.port();
    eventually("no new connections", Duration::from_secs(5), async || is_shut(port).then_some(()))
        .await;
    assert!(!server.has_ended(), "nobody waits for the request");
    server.ask_to_stop();
    let asked = Instant::now();
    assert_eq!(server.stopped().await.code(), Some(1), "{}", server.log());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn r_09_a_password_that_is_being_checked_is_answered_before_the_stop() {
    // Some seconds of work.
    let mut server = Server::start_with(&[("BCRYPT_ROUNDS", "14")]).await;
    let body = json!({"email": "bob@example.com", "name": "Bob", "password": PASSWORD});
    let register = Client::new().post(format!("{}/api/v1/auth/register", server.url()));
    let answer = tokio::spawn(register.json(&body).send());
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(!answer.is_finished(), "it was answered too soon to be cut off");
    let asked = Instant::now();
    server.ask_to_stop();
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::CREATED);
    assert_eq!(server.stopped().await.code(), Some(0), "{}", server.log());
    println!("stopped {:?} after the signal, with a hash under way", asked.elapsed());
}

#[tokio::test]
async fn r_09_a_database_that_hangs_does_not_hold_up_a_stop() {
    let postgres = Postgres::start(&[]);
    let database = postgres.empty_database();
    let mut server = Server::start_with(&[
        ("DATABASE_URL", &database),
        ("SECRET_KEY", "canary-secret-that-all-instances-share"),
        ("BCRYPT_ROUNDS", "10"),
    ])
    .await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    postgres.hang(true);
    let waiting = tokio::spawn(async move { john.me().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    let asked = Instant::now();
    server.ask_to_stop();
    waiting.await.unwrap().is_refused(503, "SERVICE_UNAVAILABLE");
    assert_eq!(server.stopped().await.code(), Some(0), "{}", server.log());
    let took = asked.elapsed();
    postgres.hang(false);
    println!("stopped {took:?} after the signal, with a database that hangs");
    assert!(took < STOP, "{took:?}");
}
