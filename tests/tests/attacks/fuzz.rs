//! Thousands of requests that are almost right (IN-19, IN-20).
//!
//! A generator takes a good request of the contract and spoils it in one to four
//! of the ways of [`MUTATIONS`], chosen by a seed that is printed. `FUZZ_SEED`
//! repeats a run, `FUZZ_REQUESTS` makes it longer: `just fuzz`.

mod draft;
mod mutations;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, UNIX_EPOCH};

use portcullis_tests::{LoggedIn, Random, Server};

use crate::routes::ROUTES;
use draft::Draft;
use mutations::MUTATIONS;

/// Requests of one run, unless the environment says otherwise: two runs are 25,000.
const REQUESTS: usize = 12_500;
/// Requests at the same time.
const CLIENTS: usize = 8;
/// How long an answer is waited for before the client gives up.
const PAUSE: Duration = Duration::from_millis(100);
/// Longer than any answer may take that is not waited for by intent.
const PATIENCE: Duration = Duration::from_secs(20);

/// The request with that number in a run: the same for the same seed.
fn draft(seed: u64, number: usize, bearer: &str) -> (Vec<&'static str>, Vec<u8>) {
    let number = u64::try_from(number).unwrap();
    let mut dice = Random::of(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let bearer = (dice.below(3) > 0).then_some(bearer);
    let mut draft = Draft::of(dice.one_of(ROUTES), bearer);
    let mut kinds = Vec::new();
    for _ in 0..=dice.below(4) {
        let (kind, spoil) = dice.one_of(MUTATIONS);
        // What was taken away cannot be spoilt any more.
        if draft.headers.is_empty() {
            break;
        }
        spoil(&mut dice, &mut draft);
        kinds.push(*kind);
    }
    (kinds, draft.written())
}

/// What came back: nothing, if the server hung up. An error if it did not end.
fn answer(port: u16, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .map_err(|error| format!("no connection: {error}"))?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // Whoever refuses early may close before all of it is sent.
    drop(stream.write_all(bytes));
    let mut read = Vec::new();
    // Whoever hangs up gets no answer: only when none comes is the request, which
    // may be half of one, given up.
    stream.set_read_timeout(Some(PAUSE)).unwrap();
    if stream.read_to_end(&mut read).is_ok() {
        return Ok(read);
    }
    drop(stream.shutdown(Shutdown::Write));
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match stream.read_to_end(&mut read) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Err("no end of the answer".into())
        }
        _ => Ok(read),
    }
}

/// What is wrong with an answer, if something is.
fn judge(answer: &[u8]) -> Result<u16, String> {
    if answer.is_empty() {
        return Ok(0);
    }
    let text = String::from_utf8_lossy(answer);
    let mut last = &text[..];
    while let Some(rest) = last.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n") {
        last = rest;
    }
    if last.is_empty() {
        // Asked to go on, the client went.
        return Ok(0);
    }
    let code = last.get(9..12).and_then(|code| code.parse::<u16>().ok());
    let code = code.ok_or_else(|| format!("no answer of HTTP: {text}"))?;
    let is_failure_behind = text.contains("HTTP/1.1 500 ");
    if is_failure_behind
        || code >= 500 && code != 503
        || code == 503 && !text.contains("SERVICE_UNAVAILABLE")
    {
        return Err(text.into_owned());
    }
    let body = last.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    // An answer to HEAD has no body: what follows is the next answer.
    let body = body.split("HTTP/1.1 ").next().unwrap_or_default();
    let is_of_framework = body.is_empty();
    let is_problem = body.contains("\"error_code\":\"") && body.contains("\"timestamp\":\"");
    if code >= 400 && !is_of_framework && !is_problem {
        return Err(format!("no problem document: {text}"));
    }
    Ok(code)
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// What a run found out.
#[derive(Default)]
struct Tally {
    codes: BTreeMap<u16, usize>,
    kinds: BTreeMap<&'static str, usize>,
    refusals: Vec<Duration>,
    failures: Vec<String>,
}

fn run(seed: u64, requests: usize, port: u16, ann: &LoggedIn) -> Tally {
    let (next, tally) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Tally::default())));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (next, tally, bearer) = (next.clone(), tally.clone(), ann.access.clone());
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests || tally.lock().unwrap().failures.len() > 5 {
                        return;
                    }
                    let (kinds, bytes) = draft(seed, number, &bearer);
                    let started = Instant::now();
                    let judged = answer(port, &bytes).and_then(|answer| judge(&answer));
                    let took = started.elapsed();
                    let mut tally = tally.lock().unwrap();
                    for kind in &kinds {
                        *tally.kinds.entry(kind).or_default() += 1;
                    }
                    match judged {
                        Ok(code) => {
                            *tally.codes.entry(code).or_default() += 1;
                            if (400..500).contains(&code) {
                                tally.refusals.push(took);
                            }
                        }
                        Err(what) => {
                            let sent = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)])
                                .into_owned();
                            tally
                                .failures
                                .push(format!("request {number} {kinds:?}: {what}\n{sent:?}"));
                        }
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    Arc::into_inner(tally).unwrap().into_inner().unwrap()
}

async fn fuzz(seed: u64) {
    println!("FUZZ_SEED={seed}");
    let requests =
        from_environment("FUZZ_REQUESTS").map_or(REQUESTS, |count| usize::try_from(count).unwrap());
    let open = ("LOCKOUT_THRESHOLD", "1000000");
    let mut server = Server::start_with(&[
        open,
        ("LOCKOUT_ACCOUNT_THRESHOLD", "1000000"),
        ("LOG_LEVEL", "warn"),
    ])
    .await;
    let ann = server.logged_in("ann@example.com").await;
    let port = server.port();
    // What grows with the first requests of a kind has grown.
    let warm_up = run(!seed, requests / 10, port, &ann);
    assert!(warm_up.failures.is_empty(), "FUZZ_SEED={}\n{}", !seed, warm_up.failures.join("\n\n"));
    let before = server.resident_kib();
    let started = Instant::now();
    let mut tally = run(seed, requests, port, &ann);
    let took = started.elapsed();
    assert!(tally.failures.is_empty(), "FUZZ_SEED={seed}\n{}", tally.failures.join("\n\n"));
    assert!(!server.has_ended(), "FUZZ_SEED={seed}: {}", server.log());
    server.anonymous().get("/health").await.is(200);
    let bob = server.logged_in("bob@example.com").await;
    bob.is_alive().await;
    let grown = server.resident_kib().saturating_sub(before);
    tally.refusals.sort();
    let p99 = tally.refusals[tally.refusals.len() * 99 / 100];
    println!(
        "FUZZ_SEED={seed}: {requests} requests of {} kinds in {took:?}; answers {:?}; \
         refusals p99 {p99:?}; memory +{grown} KiB",
        tally.kinds.len(),
        tally.codes
    );
    assert!(tally.kinds.len() >= 40, "{:?}", tally.kinds);
    assert!(grown < 64 * 1024, "FUZZ_SEED={seed}: memory grew by {grown} KiB");
    assert!(!server.log().contains("panicked"), "FUZZ_SEED={seed}: {}", server.log());
}

#[tokio::test]
async fn in_19_almost_right_requests_of_a_known_seed_never_break_the_server() {
    fuzz(from_environment("FUZZ_SEED").unwrap_or(19)).await;
}

#[tokio::test]
async fn in_20_almost_right_requests_of_a_seed_that_nobody_knows_never_break_the_server() {
    let chance =
        u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_nanos() % u128::from(u64::MAX)).unwrap();
    fuzz(from_environment("FUZZ_SEED").unwrap_or(chance)).await;
}

#[test]
fn the_same_seed_gives_the_same_requests() {
    assert!(MUTATIONS.len() >= 40, "{}", MUTATIONS.len());
    for number in 0..500 {
        assert_eq!(draft(7, number, "t").1, draft(7, number, "t").1);
    }
    assert_ne!(draft(7, 1, "t").1, draft(8, 1, "t").1);
}
