//! Everybody at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, at_once, eventually};
use reqwest::{Client, StatusCode};

/// How long a login may wait for its hash: `HASHING_PATIENCE`, unless it is set.
const HASHING_PATIENCE: Duration = Duration::from_secs(4);
/// What a login takes beside that wait, on a machine where everybody else asks too.
const MARGIN: Duration = Duration::from_secs(8);

/// Several times as many as can be hashed in that time, however many cores there are.
fn herd_size() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (250 * cores).max(2_000)
}

struct LogIn {
    status: StatusCode,
    may_retry: bool,
    took: Duration,
    at: Instant,
}

async fn log_in(http: Client, url: String) -> LogIn {
    let started = Instant::now();
    let fields = [("username", "johndoe"), ("password", PASSWORD)];
    let answer = http.post(format!("{url}/api/v1/auth/login")).form(&fields).send().await.unwrap();
    let may_retry = answer.headers().contains_key("retry-after");
    let status = answer.status();
    answer.bytes().await.unwrap();
    LogIn { status, may_retry, took: started.elapsed(), at: Instant::now() }
}

fn http() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_mins(2)).build().unwrap()
}

/// Logins per second of so few clients that none has to wait long.
async fn peak(server: &Server) -> f64 {
    let (url, started) = (server.url(), Instant::now());
    let counts = at_once(4, move |_| {
        let (url, http) = (url.clone(), http());
        async move {
            let mut count = 0_u32;
            while started.elapsed() < Duration::from_secs(3) {
                assert_eq!(log_in(http.clone(), url.clone()).await.status, 200);
                count += 1;
            }
            count
        }
    })
    .await;
    f64::from(counts.into_iter().sum::<u32>()) / started.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
async fn r_06_r_48_thousands_of_logins_at_once_are_done_or_shed_in_little_memory() {
    let settings = [
        ("BCRYPT_ROUNDS", "10"),
        ("LOCKOUT_THRESHOLD", "100000"),
        ("LOCKOUT_ACCOUNT_THRESHOLD", "100000"),
    ];
    let server = Server::start_with(&settings).await;
    server.signed_up("johndoe", "john@example.com").await;
    let peak = peak(&server).await;
    let before = server.resident_kib();
    let (url, started, size) = (server.url(), Instant::now(), herd_size());
    let herd = tokio::spawn(at_once(size, move |_| log_in(http(), url.clone())));
    let mut most = before;
    let mut herd = std::pin::pin!(herd);
    let answers = loop {
        tokio::select! {
            answers = &mut herd => break answers.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(50)) => most = most.max(server.resident_kib()),
        }
    };
    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    let shed: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert_eq!(done.len() + shed.len(), size, "other answers than 200 and 503");
    assert!(shed.iter().all(|answer| answer.may_retry), "a refusal does not say when to retry");
    assert!(!shed.is_empty(), "nobody was shed: the test proves nothing");
    let slowest = done.iter().map(|answer| answer.took).max().unwrap();
    let last = done.iter().map(|answer| answer.at).max().unwrap();
    let goodput = f64::from(u32::try_from(done.len()).unwrap()) / (last - started).as_secs_f64();
    let mut rejects: Vec<_> = shed.iter().map(|answer| answer.took).collect();
    rejects.sort();
    let p99 = rejects.get(rejects.len() * 99 / 100).copied().unwrap_or_default();
    let recovered = Instant::now();
    eventually("a login", Duration::from_secs(5), async || {
        let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await;
        (answer.status == 200).then_some(())
    })
    .await;
    println!(
        "{size} logins at once: {} done (within {slowest:?}), {} shed (p99 {p99:?}); {goodput:.1} per second of \
         {peak:.1} at best; memory {before} KiB, {most} KiB at most; a login {:?} after",
        done.len(),
        shed.len(),
        recovered.elapsed()
    );
    assert!(slowest < HASHING_PATIENCE + MARGIN, "somebody waited for {slowest:?}");
    let more = 192 * 1024 * u64::try_from(size).unwrap() / 2_000;
    assert!(most < before + more, "{most} KiB, {before} KiB before");
    // The herd shares the machine with the server, whose hashing stands back behind
    // everything else: on a machine of its own it is more.
    assert!(goodput > peak / 8.0, "{goodput:.1} of {peak:.1} per second");
    assert!(!server.log().contains("panicked at"), "{}", server.log());
}

/// Presents the refresh token until there is an answer that is not "later".
async fn refreshed(session: LoggedIn) -> LoggedIn {
    loop {
        let answer: Answer = session.anonymous().refresh(&session.refresh).await;
        match answer.status {
            200 => return session.anonymous().with_tokens_of(&answer),
            503 => assert!(answer.number("retry-after") >= 1),
            _ => panic!("{answer:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_49_no_session_ends_when_all_access_tokens_expire_at_once() {
    let server = Server::start_with(&[("ACCESS_TOKEN_TTL", "3s"), ("REFRESH_GRACE", "2s")]).await;
    // A user has at most 100 sessions.
    let owners = ["a", "b", "c", "d", "e"].map(|name| format!("{name}@example.com"));
    for owner in &owners {
        server.verified(owner).await;
    }
    let mut sessions = Vec::new();
    for owner in owners.iter().cycle().take(100) {
        let anonymous = server.anonymous();
        let logins = at_once(4, move |_| {
            let (anonymous, owner) = (anonymous.clone(), owner.clone());
            async move {
                let answer = anonymous.log_in(&owner, PASSWORD).await.expect(200);
                anonymous.with_tokens_of(&answer)
            }
        });
        sessions.extend(logins.await);
    }
    for wave in 0..2 {
        let last = sessions.last().unwrap();
        eventually("every token expired", Duration::from_mins(1), async || {
            (last.me().await.status == 401).then_some(())
        })
        .await;
        let (count, started) = (sessions.len(), Instant::now());
        let all = Arc::new(std::mem::take(&mut sessions));
        sessions = at_once(count, move |number| refreshed(all[number].clone())).await;
        println!("wave {wave}: {count} sessions refreshed in {:?}, 0 ended", started.elapsed());
        assert_eq!(sessions.len(), count);
    }
}
