//! Sessions and refresh tokens: reuse, races, near misses (RF).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, at_once, claims, eventually, problem};
use serde_json::json;

const SIGNED_OUT: &str = "You were signed out for your safety";
/// Long enough that nothing here is judged by the clock.
const LONG_GRACE: [(&str, &str); 1] = [("REFRESH_GRACE", "10m")];
/// How many races there are of each width.
const ROUNDS: usize = 200;
/// How many present one token at the same time.
const WIDTHS: [usize; 3] = [2, 8, 32];

#[tokio::test]
async fn rf_01_rf_05_a_token_is_good_again_until_its_successor_was_used_and_never_after() {
    let server = Server::start_with(&LONG_GRACE).await;
    let first = server.logged_in("ann@example.com").await;
    let second = first.refreshed().await;
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(first.refreshed().await.refresh, second.refresh, "its answer may have been lost");
    let third = second.refreshed().await;
    first.anonymous().refresh(&first.refresh).await.is_problem(problem::BAD_REFRESH);
    third.is_over().await;
}

#[tokio::test]
async fn rf_02_reuse_ends_the_whole_session_and_no_other() {
    let server = Server::start_with(&LONG_GRACE).await;
    let first = server.logged_in("ann@example.com").await;
    let other = server.logged_in_again("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    let second = first.refreshed().await;
    let third = second.refreshed().await;
    third.me().await.is(200);
    first.anonymous().refresh(&first.refresh).await.is_problem(problem::BAD_REFRESH);
    for session in [&third, &second, &first] {
        session.is_over().await;
    }
    other.is_alive().await;
    bob.is_alive().await;
    server.mailbox().mail("ann@example.com", SIGNED_OUT).await;
    assert_eq!(server.mailbox().count("bob@example.com", SIGNED_OUT).await, 0);
}

/// One race: everybody presents one token; all get the one successor.
async fn race(session: &LoggedIn, width: usize) -> LoggedIn {
    let answers = at_once(width, |_| {
        let session = session.clone();
        async move { session.anonymous().refresh(&session.refresh).await }
    })
    .await;
    for answer in &answers {
        answer.is(200);
        assert_eq!(answer.str("/refresh_token"), answers[0].str("/refresh_token"));
    }
    assert_ne!(answers[0].str("/refresh_token"), session.refresh);
    session.anonymous().with_tokens_of(&answers[0])
}

/// The number of a refresh token: how many came before it.
fn number(token: &str) -> u32 {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    u32::from_be_bytes(bytes[17..21].try_into().unwrap())
}

#[tokio::test]
async fn rf_03_of_600_races_for_a_token_each_leaves_one_successor() {
    let server = Server::start_with(&LONG_GRACE).await;
    let first = server.logged_in("ann@example.com").await;
    let started = Instant::now();
    let (mut session, mut races) = (first.clone(), 0);
    for width in WIDTHS {
        for _ in 0..ROUNDS {
            session = race(&session, width).await;
            races += 1;
            assert_eq!(number(&session.refresh), races, "a race moves the session on by one");
        }
    }
    println!("{races} races in {:?}", started.elapsed());
    session.is_alive().await;
    // And none of the earlier ones is another branch.
    first.anonymous().refresh(&first.refresh).await.is_problem(problem::BAD_REFRESH);
    session.is_over().await;
}

#[tokio::test]
async fn rf_04_overlapping_requests_are_no_theft() {
    let server = Server::start().await;
    let mut session = server.logged_in("ann@example.com").await;
    for _ in 0..20 {
        session = race(&session, 8).await;
    }
    session.is_alive().await;
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", SIGNED_OUT).await, 0);
}

#[tokio::test]
async fn rf_07_a_refresh_token_is_unforgeable_and_stands_nowhere_on_disk() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let renewed = ann.refreshed().await;
    let mut canaries = Vec::new();
    for token in [&ann.refresh, &renewed.refresh] {
        assert!(token.len() >= 43, "{token}");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
        // Behind the session's id and the counter: a random seed and 256 bits of seal.
        let secret = &bytes[21..];
        assert!(secret.len() * 8 >= 256 + 128);
        canaries.extend([token.as_bytes().to_vec(), secret[..16].to_vec(), secret[16..].to_vec()]);
    }
    canaries.push(ann.access.split('.').next_back().unwrap().as_bytes().to_vec());
    let known = claims(&ann.access)["sid"].as_str().unwrap().replace('-', "");
    let known: Vec<u8> =
        (0..16).map(|at| u8::from_str_radix(&known[2 * at..2 * at + 2], 16).unwrap()).collect();
    let (mut files, mut sessions) = (0, 0);
    for entry in server.folder().join("data").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let Ok(content) = std::fs::read(&path) else { continue };
        let holds = |what: &[u8]| content.windows(what.len()).any(|window| window == what);
        sessions += usize::from(holds(&known));
        for canary in &canaries {
            assert!(!holds(canary), "a token stands in {}", path.display());
        }
        files += 1;
    }
    assert!(files >= 2 && sessions >= 1, "the test looks in the wrong place: {files} {sessions}");
    let log = server.log();
    assert!(!log.contains(&ann.refresh) && !log.contains(&ann.access));
}

/// A server is killed while a client refreshes: whatever became of the answer,
/// the token that the client still has is good, once.
#[tokio::test]
async fn rf_12_a_server_that_dies_leaves_the_old_or_the_new_token_good() {
    let mut server = Server::start_with(&LONG_GRACE).await;
    let mut ann = server.logged_in("ann@example.com").await;
    for round in 0..12_u64 {
        let refreshing = tokio::spawn(async move {
            let mut ann = ann;
            loop {
                let body = json!({"refresh_token": ann.refresh});
                let request =
                    ann.anonymous().request(reqwest::Method::POST, "/api/v1/auth/refresh");
                match Answer::if_any(request.json(&body)).await {
                    Ok(answer) => {
                        answer.is(200);
                        ann = ann.anonymous().with_tokens_of(&answer);
                    }
                    Err(_) => return ann,
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(30 + 7 * round)).await;
        server.kill();
        let left = refreshing.await.unwrap();
        server.restart().await;
        let before = number(&left.refresh);
        ann = left.refreshed().await;
        assert_eq!(number(&ann.refresh), before + 1, "it stood at the old or at the new token");
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn rf_11_a_session_ends_with_logout_reset_and_reuse() {
    let server = Server::start_with(&[("REFRESH_GRACE", "1s")]).await;
    let logged_out = server.logged_in("ann@example.com").await;
    logged_out.log_out().await.is(204);
    logged_out.is_over().await;

    let reused = server.logged_in_again("ann@example.com").await;
    let successor = reused.refreshed().await;
    eventually("the end of the grace", Duration::from_secs(10), async || {
        let answer = reused.anonymous().refresh(&reused.refresh).await;
        (answer.status != 200).then_some(())
    })
    .await;
    successor.is_over().await;

    let sessions = [
        server.logged_in_again("ann@example.com").await,
        server.logged_in_again("ann@example.com").await,
    ];
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    for session in sessions {
        session.is_over().await;
    }
}

/// The bound is documented; the oldest ends, and its owner's other ones do not.
#[tokio::test]
async fn lg_20_each_login_opens_a_session_and_the_hundred_and_first_ends_the_oldest() {
    let server = Server::start().await;
    let first = server.signed_up("johndoe", "john@example.com").await;
    let bob = server.signed_up("boblee", "bob@example.com").await;
    let mut ids = std::collections::BTreeSet::new();
    let mut second = None;
    for number in 2..=100 {
        let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
        let session = server.anonymous().with_tokens_of(&answer);
        ids.insert(claims(&session.access)["sid"].to_string());
        if number == 2 {
            second = Some(session);
        }
    }
    assert_eq!(ids.len(), 99, "each login makes a fresh session");
    first.is_alive().await;
    let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    first.is_over().await;
    second.unwrap().is_alive().await;
    server.anonymous().with_tokens_of(&answer).is_alive().await;
    bob.is_alive().await;
}
