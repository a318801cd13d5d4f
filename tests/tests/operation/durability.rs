//! What was acknowledged survives a power cut.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_tests::{Answer, LoggedIn, PASSWORD, RawAnswer, Server, eventually, problem};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;

const ROUNDS: usize = 10;
const REGISTRARS: usize = 2;
const LEAVERS: usize = 2;

/// What the server has acknowledged.
#[derive(Debug, Default)]
struct Journal {
    registered: Vec<String>,
    logged_out: Vec<LoggedIn>,
}

type Shared = Arc<Mutex<Journal>>;

/// A number below a bound; each time another.
fn random(below: usize) -> usize {
    let number = RandomState::new().build_hasher().finish();
    usize::try_from(number % u64::try_from(below).unwrap()).unwrap()
}

/// Registers one account after the other until the server is gone.
async fn keep_registering(anonymous: portcullis_tests::Anonymous, name: String, journal: Shared) {
    for number in 0.. {
        let email = format!("{name}-{number}@example.com");
        let body = json!({"email": email, "name": "Ann Lee", "password": PASSWORD});
        let request = anonymous.request(Method::POST, "/api/v1/auth/register").json(&body);
        match Answer::if_any(request).await {
            Ok(answer) if answer.status == 201 => journal.lock().unwrap().registered.push(email),
            Ok(answer) => panic!("{answer:?}"),
            Err(_) => return,
        }
    }
}

/// Logs in and out until the server is gone.
async fn keep_leaving(anonymous: portcullis_tests::Anonymous, email: String, journal: Shared) {
    let body = json!({"email": email, "password": PASSWORD});
    loop {
        let login = anonymous.request(Method::POST, "/api/v1/auth/login").json(&body);
        let Ok(login) = Answer::if_any(login).await else { return };
        let session = anonymous.with_tokens_of(&login);
        let body = json!({"refresh_token": session.refresh});
        let logout = session.request(Method::POST, "/api/v1/auth/logout").json(&body);
        let Ok(logout) = Answer::if_any(logout).await else { return };
        logout.is(204);
        journal.lock().unwrap().logged_out.push(session);
    }
}

/// Loads the server until it has acknowledged so much and kills it in the midst.
async fn round(server: &mut Server, number: usize, acknowledged: usize) -> Journal {
    let journal = Shared::default();
    let mut tasks = JoinSet::new();
    for task in 0..REGISTRARS {
        let name = format!("r{number}-{task}");
        tasks.spawn(keep_registering(server.anonymous(), name, Arc::clone(&journal)));
    }
    for task in 0..LEAVERS {
        let email = format!("leaver{task}@example.com");
        tasks.spawn(keep_leaving(server.anonymous(), email, Arc::clone(&journal)));
    }
    eventually("the acknowledgements", Duration::from_mins(1), async || {
        let journal = journal.lock().unwrap();
        (journal.registered.len() + journal.logged_out.len() >= acknowledged).then_some(())
    })
    .await;
    server.kill();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    server.restart().await;
    Arc::into_inner(journal).unwrap().into_inner().unwrap()
}

#[tokio::test]
async fn r_01_what_was_acknowledged_survives_ten_power_cuts_and_owed_mail_is_delivered() {
    let mut server = Server::start().await;
    for task in 0..LEAVERS {
        server.verified(&format!("leaver{task}@example.com")).await;
    }
    let mut registered = Vec::new();
    for number in 0..ROUNDS {
        let journal = round(&mut server, number, 5 + random(30)).await;
        for email in &journal.registered {
            let answer = server.anonymous().log_in(email, PASSWORD).await;
            answer.is_problem(problem::NOT_VERIFIED);
        }
        for session in &journal.logged_out {
            session.is_over().await;
        }
        registered.extend(journal.registered);
    }
    assert!(registered.len() >= ROUNDS, "only {} were registered", registered.len());
    // A letter that a killed server had claimed comes free after a minute.
    let patience = Duration::from_secs(150);
    let (mailbox, subject) = (server.mailbox(), "Verify your email address");
    for email in &registered {
        mailbox.mails_within(email, subject, 1, patience).await;
    }
    let last = mailbox.mail(registered.last().unwrap(), subject).await;
    server.anonymous().verify(&last.token()).await.is(200);
    server.anonymous().log_in(registered.last().unwrap(), PASSWORD).await.is(200);
}

#[tokio::test]
async fn r_07_a_request_in_flight_is_finished_before_the_server_stops() {
    let mut server = Server::start().await;
    let body = json!({"email": "ann@example.com", "name": "Ann", "password": PASSWORD}).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Now the server has the request and waits for its body.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.ask_to_stop();
    let port = server.port();
    eventually("no new connections", Duration::from_secs(10), async || {
        TcpStream::connect(("127.0.0.1", port)).is_err().then_some(())
    })
    .await;
    stream.write_all(body.as_bytes()).unwrap();
    let answer = RawAnswer::rest_of(&mut stream);
    assert_eq!(answer.status(), Some(201), "{answer:?}\n{}", server.log());
    let status = server.stopped().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());

    server.restart().await;
    let login = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    login.is_problem(problem::NOT_VERIFIED);
}

#[tokio::test]
async fn r_08_an_idle_server_stops_at_once_and_in_good_order() {
    let mut server = Server::start().await;
    server.registered("ann@example.com").await;
    // An idle connection must not hold it up.
    let idle = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let started = std::time::Instant::now();
    let status = server.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    drop(idle);
}
