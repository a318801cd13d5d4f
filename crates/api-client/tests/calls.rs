//! Calls over a real connection.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use portcullis_api_client::{ApiClient, CallError, ClientSettings, Method, Repeat};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a connection is answered; a request ends with its head.
#[derive(Clone, Copy)]
enum Says {
    Text(&'static str),
    /// An answer of 2,000 bytes.
    Long,
    Nothing,
    Hangs,
    /// The text, and no more.
    HangsAfter(&'static str),
    /// The text, after half a second.
    Late(&'static str),
}

const OK: Says = Says::Text("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}");
const BUSY: Says = Says::Text(
    "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
);
const BROKEN: Says =
    Says::Text("HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
const LATE_BROKEN: Says =
    Says::Late("HTTP/1.1 500 Broken\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
const AWAY_FOR_LONG: Says = Says::Text(
    "HTTP/1.1 429 Slow\r\nretry-after: 600\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
);
const REFUSAL_THAT_HANGS: Says =
    Says::HangsAfter("HTTP/1.1 400 Bad Request\r\ncontent-length: 900\r\n\r\n{\"a\":");
const CUT: Says = Says::Text("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"a\":");

/// A server that says this, one after the other; what it was asked is counted.
async fn server(says: &'static [Says]) -> (ApiClient, Arc<AtomicUsize>) {
    server_within(Duration::from_secs(3), says).await
}

/// The same, of which a call may take so long.
async fn server_within(deadline: Duration, says: &'static [Says]) -> (ApiClient, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let number = counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(answer(stream, says[number.min(says.len() - 1)]));
        }
    });
    let settings =
        ClientSettings { deadline, max_answer: 1_000, ..ClientSettings::new(url.parse().unwrap()) };
    (ApiClient::new(settings).unwrap(), asked)
}

async fn answer(mut stream: TcpStream, says: Says) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    match says {
        Says::Text(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Says::Long => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n".to_owned();
            // The client may have left before its end.
            drop(stream.write_all((head + &"x".repeat(2_000)).as_bytes()).await);
        }
        Says::Nothing => {}
        Says::HangsAfter(text) => {
            stream.write_all(text.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        }
        Says::Hangs => std::future::pending().await,
        Says::Late(text) => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    }
}

async fn ask(client: &ApiClient, repeat: Repeat) -> Result<u16, CallError> {
    client.call(Method::GET, &["path"]).send(repeat).await.map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn a_read_is_repeated_after_every_sign_of_trouble() {
    for trouble in [&[BROKEN, OK], &[Says::Nothing, OK], &[CUT, OK], &[BUSY, OK]] {
        let (client, asked) = server(trouble).await;
        assert_eq!(ask(&client, Repeat::Safe).await.unwrap(), 200);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_twice() {
    let (client, asked) = server(&[BROKEN, OK]).await;
    assert_eq!(ask(&client, Repeat::IfNotDone).await.unwrap(), 500);
    let (cut, cut_asked) = server(&[Says::Nothing, OK]).await;
    let told = ask(&cut, Repeat::IfNotDone).await;
    assert!(matches!(told, Err(CallError::Unreachable(_))), "{told:?}");
    assert_eq!((asked.load(Ordering::Relaxed), cut_asked.load(Ordering::Relaxed)), (1, 1));
    let (busy, busy_asked) = server(&[BUSY, OK]).await;
    assert_eq!(ask(&busy, Repeat::IfNotDone).await.unwrap(), 200);
    assert_eq!(busy_asked.load(Ordering::Relaxed), 2);
    let (once, once_asked) = server(&[BUSY, OK]).await;
    assert_eq!(ask(&once, Repeat::Never).await.unwrap(), 503);
    assert_eq!(once_asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept() {
    let (client, _) = server(&[BUSY, OK]).await;
    let started = Instant::now();
    assert_eq!(ask(&client, Repeat::Safe).await.unwrap(), 200);
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_the_callers_to_wait() {
    let (client, asked) = server(&[AWAY_FOR_LONG, OK]).await;
    let answer = client.call(Method::GET, &[]).send(Repeat::Safe).await.unwrap();
    assert_eq!(answer.status.as_u16(), 429);
    assert_eq!(answer.retry_after(), Some(Duration::from_mins(10)));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn three_attempts_are_enough() {
    let (client, asked) = server(&[BROKEN]).await;
    assert_eq!(ask(&client, Repeat::Safe).await.unwrap(), 500);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_call_ends_by_its_deadline_with_all_its_repetitions() {
    let (client, _) = server_within(Duration::from_millis(400), &[Says::Hangs]).await;
    let started = Instant::now();
    let told = ask(&client, Repeat::Safe).await;
    assert!(matches!(told, Err(CallError::TimedOut(_))), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());

    // The first attempt takes half of it, the pause up to a third: the second does
    // not have a second of its own.
    let (client, asked) = server_within(Duration::from_secs(1), &[LATE_BROKEN, Says::Hangs]).await;
    let started = Instant::now();
    let told = ask(&client, Repeat::Safe).await;
    assert!(matches!(told, Err(CallError::TimedOut(_))), "{told:?}");
    assert!(started.elapsed() < Duration::from_millis(1_400), "{:?}", started.elapsed());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_step_ends_when_all_of_them_have_to() {
    let (client, _) = server(&[Says::Hangs]).await;
    let started = Instant::now();
    let ends = tokio::time::Instant::now() + Duration::from_millis(300);
    let told = client.call(Method::GET, &[]).ending_at(ends).send(Repeat::Safe).await;
    assert!(matches!(told, Err(CallError::TimedOut(_))), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    // Later than its client's deadline it does not end.
    let ends = tokio::time::Instant::now() + Duration::from_mins(1);
    let told = client.call(Method::GET, &[]).ending_at(ends).send(Repeat::Safe).await;
    assert!(matches!(told, Err(CallError::TimedOut(_))), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
}

/// What opening a call comes to: the first bytes of a success, or a status.
async fn open(client: &ApiClient, repeat: Repeat) -> Result<Result<Vec<u8>, u16>, CallError> {
    let opened = client.call(Method::GET, &["path"]).open(repeat).await?;
    Ok(match opened {
        Ok(mut response) => Ok(response.chunk().await.unwrap().unwrap().to_vec()),
        Err(answer) => Err(answer.status.as_u16()),
    })
}

#[tokio::test]
async fn a_call_is_opened_again_where_that_is_safe() {
    for trouble in [&[BROKEN, OK], &[Says::Nothing, OK], &[BUSY, OK]] {
        let (client, asked) = server(trouble).await;
        assert_eq!(open(&client, Repeat::Safe).await.unwrap(), Ok(b"{\"a\":1}".to_vec()));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
    let (client, asked) = server(&[BROKEN]).await;
    assert_eq!(open(&client, Repeat::Safe).await.unwrap(), Err(500));
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    for (repeat, status, times) in [
        (Repeat::Never, BUSY, 1),
        (Repeat::IfNotDone, BROKEN, 1),
        (Repeat::IfNotDone, AWAY_FOR_LONG, 1),
    ] {
        let says: &'static [Says] = Vec::leak(vec![status, OK]);
        let (client, asked) = server(says).await;
        assert!(open(&client, repeat).await.unwrap().is_err(), "{repeat:?}");
        assert_eq!(asked.load(Ordering::Relaxed), times, "{repeat:?}");
    }
}

#[tokio::test]
async fn what_has_begun_is_not_opened_again() {
    let (client, asked) = server(&[CUT, OK]).await;
    let opened = client.call(Method::GET, &["path"]).open(Repeat::Safe).await.unwrap().unwrap();
    opened.bytes().await.unwrap_err();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_not_waited_for_any_longer() {
    for says in [&[Says::Hangs], &[REFUSAL_THAT_HANGS]] {
        let (client, _) = server_within(Duration::from_millis(400), says).await;
        let started = Instant::now();
        let told = open(&client, Repeat::Safe).await;
        assert!(matches!(told, Err(CallError::TimedOut(_))), "{told:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let port = portcullis_testkit::free_port();
    let base_url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let client = ApiClient::new(ClientSettings::new(base_url)).unwrap();
    let told = ask(&client, Repeat::Safe).await.unwrap_err().to_string();
    assert!(told.contains("refused") && !told.contains("127.0.0.1"), "{told}");
}

const REDIRECT: Says =
    Says::Text("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let (client, _) = server(&[REDIRECT]).await;
    assert_eq!(ask(&client, Repeat::Safe).await.unwrap(), 302);
}

#[tokio::test]
async fn what_is_no_json_is_told_by_its_place() {
    const WRONG: Says =
        Says::Text("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"a\": \"secret\"");
    let (client, _) = server(&[WRONG]).await;
    let answer = client.call(Method::GET, &[]).send(Repeat::Safe).await.unwrap();
    let told = answer.json::<serde_json::Value>().unwrap_err().to_string();
    assert!(told.contains("line 1") && !told.contains("secret"), "{told}");
    assert!(!format!("{answer:?}").contains("secret"));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read() {
    let (client, _) = server(&[Says::Long]).await;
    let told = ask(&client, Repeat::Safe).await;
    assert!(matches!(told, Err(CallError::TooLong(1_000))), "{told:?}");
}

#[tokio::test]
async fn a_path_that_would_lead_elsewhere_is_not_called() {
    let (client, asked) = server(&[OK]).await;
    for name in [".", ".."] {
        let call = client.call(Method::DELETE, &["users", name]);
        let told = call.send(Repeat::Safe).await.unwrap_err();
        assert!(matches!(told, CallError::Unsendable(_)), "{name}: {told}");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
}
