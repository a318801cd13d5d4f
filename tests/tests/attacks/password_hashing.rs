//! Making the server hash until nothing else is done (DO-01).

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use portcullis_tests::{PASSWORD, Server, at_once};
use reqwest::{Method, StatusCode};
use serde_json::json;

/// Contract §2: what a client may count on before it may call a server hung.
const HANG: Duration = Duration::from_secs(15);

/// The memory of a process that is in RAM, in MiB.
fn resident(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

/// What happened to the logins and to the reads of a storm.
struct Storm {
    refused: usize,
    judged: usize,
    reads: Vec<Duration>,
    slowest_refusal: Duration,
    memory: u64,
}

/// A thousand logins at once, while somebody else reads.
async fn storm(server: &Server) -> Storm {
    server.verified("reader@example.com").await;
    let reader = server.anonymous().log_in("reader@example.com", PASSWORD).await;
    let token = reader.expect(200).str("/access_token").to_owned();
    let (reading, is_over) = (server.anonymous(), Arc::new(AtomicBool::new(false)));
    let until = Arc::clone(&is_over);
    let reads = tokio::spawn(async move {
        let mut reads = Vec::new();
        while !until.load(Ordering::Relaxed) {
            let started = Instant::now();
            let request = reading.request(Method::GET, "/api/v1/auth/me").bearer_auth(&token);
            assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
            reads.push(started.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        reads
    });
    let before = resident(server);
    let guessing = server.anonymous();
    let answers = at_once(1_000, |number| {
        let body = json!({"email": format!("guess{number}@example.com"), "password": PASSWORD});
        let request = guessing.request(Method::POST, "/api/v1/auth/login").json(&body);
        async move {
            let started = Instant::now();
            let answer = request.timeout(HANG).send().await.unwrap();
            let told = answer.headers().contains_key("retry-after");
            (answer.status().as_u16(), told, started.elapsed())
        }
    })
    .await;
    let memory = resident(server).saturating_sub(before);
    is_over.store(true, Ordering::Relaxed);
    let reads = reads.await.unwrap();
    let (mut refused, mut judged, mut slowest_refusal) = (0, 0, Duration::ZERO);
    for (status, told, took) in answers {
        match status {
            400 => judged += 1,
            503 => {
                assert!(told, "a refusal without Retry-After");
                refused += 1;
                slowest_refusal = slowest_refusal.max(took);
            }
            other => panic!("{other}"),
        }
    }
    Storm { refused, judged, reads, slowest_refusal, memory }
}

fn survived(storm: &mut Storm, memory: u64) {
    storm.reads.sort_unstable();
    let (count, median) = (storm.reads.len(), storm.reads[storm.reads.len() / 2]);
    println!(
        "{} judged, {} refused (slowest after {:?}), {count} reads (median {median:?}, slowest \
         {:?}), {} MiB more",
        storm.judged,
        storm.refused,
        storm.slowest_refusal,
        storm.reads[count - 1],
        storm.memory,
    );
    assert!(storm.judged > 0, "nobody was judged");
    assert!(storm.refused > 100, "only {} of 1,000 were refused", storm.refused);
    // 250 ms is the goal on a machine of its own; tests share theirs.
    assert!(median < Duration::from_millis(250), "half of the reads took longer than {median:?}");
    assert!(storm.memory <= memory, "{} MiB more", storm.memory);
}

#[tokio::test(flavor = "multi_thread")]
async fn do_01_a_thousand_logins_at_once_leave_reads_fast_and_memory_flat() {
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "12")]).await;
    survived(&mut storm(&server).await, 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn do_01_with_argon2id_memory_is_bounded_by_the_threads_that_hash() {
    let settings = [("PASSWORD_HASHER", "argon2id")];
    let server = Server::start_with(&settings).await;
    // 19 MiB for each hash under way (OWASP), and 64 for everything else.
    let threads = u64::try_from(available_parallelism().unwrap().get()).unwrap();
    survived(&mut storm(&server).await, threads * 19 + 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn do_01_whoever_hangs_up_is_not_hashed_for() {
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "10")]).await;
    let threads = available_parallelism().unwrap().get();
    let login = |number: usize| {
        let body = json!({"email": format!("guess{number}@example.com"), "password": PASSWORD});
        server.anonymous().request(Method::POST, "/api/v1/auth/login").json(&body)
    };
    let timed = async |number: usize| {
        let started = Instant::now();
        assert_eq!(login(number).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
        started.elapsed()
    };
    // Other tests take their share of the machine: one quiet moment is enough,
    // since twelve hashes per thread would never fit into the time of six.
    for round in 0..10 {
        let alone = timed(10_000 + round).await.max(timed(20_000 + round).await);
        let mut left = Vec::new();
        for number in 0..12 * threads {
            left.push(login(round * 1_000 + number).timeout(Duration::from_millis(60)).send());
        }
        let gone = left.into_iter().map(tokio::spawn).collect::<Vec<_>>();
        for one in gone {
            assert!(one.await.unwrap().is_err(), "a login was answered too soon to be left");
        }
        let after = timed(30_000 + round).await;
        println!("alone {alone:?}, after {} who hung up {after:?}", 12 * threads);
        if after < 6 * alone {
            return;
        }
    }
    panic!("the server went on to hash for clients that were gone");
}
