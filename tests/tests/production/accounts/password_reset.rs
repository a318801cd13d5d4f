//! Who resets a password, and what a reset ends.

use std::sync::Arc;

use portcullis_testkit::Redis;
use portcullis_tests::{Answer, LoggedIn, PASSWORD, at_once, problem};
use tokio::sync::Barrier;

use super::ANOTHER;
use crate::backends::Backends;
use crate::letterbox::RESET;

#[tokio::test]
async fn pr_01_pr_17_the_answer_is_one_for_all_and_a_disabled_account_gets_no_mail() {
    let backends = Backends::new();
    let server = backends.instance().await;
    for email in ["known@example.com", "disabled@example.com"] {
        server.verified(email).await;
    }
    server.registered("waiting@example.com").await;
    backends.sql("UPDATE users SET is_active = FALSE WHERE email = 'disabled@example.com'");
    let told = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (answer.status, answer.text.clone(), names)
    };
    let expected = told(&server.anonymous().request_reset("nobody@example.com").await.expect(200));
    for local in ["known", "waiting", "disabled"] {
        let answer = server.anonymous().request_reset(&format!("{local}@example.com")).await;
        assert_eq!(told(&answer), expected);
    }
    for due in ["known@example.com", "waiting@example.com"] {
        server.mailbox().mail(due, RESET).await;
    }
    backends.outbox_is_settled().await;
    for none in ["disabled@example.com", "nobody@example.com"] {
        assert_eq!(server.mailbox().count(none, RESET).await, 0);
    }
}

/// A token that was mailed before its account was disabled is dead.
#[tokio::test]
async fn pr_17_a_disabled_account_is_not_reset_by_an_older_mail() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    backends.sql("UPDATE users SET is_active = FALSE");
    server.anonymous().confirm_reset(&token, ANOTHER).await.is_problem(problem::BAD_RESET);
    backends.sql("UPDATE users SET is_active = TRUE");
    server.logged_in_again("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
}

/// Five rounds: a hash of production's cost for each of 32 takes its time.
#[tokio::test]
async fn pr_04_of_32_resets_on_two_instances_one_decides_the_password() {
    let (here, there) = Backends::new().two().await;
    here.verified("ann@example.com").await;
    for _ in 0..5 {
        let token = here.reset_token("ann@example.com").await;
        let outcomes = at_once(32, |number| {
            let caller = if number % 2 == 0 { here.anonymous() } else { there.anonymous() };
            let token = token.clone();
            async move {
                let password = format!("good password {number}");
                (caller.confirm_reset(&token, &password).await, password)
            }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|(answer, _)| answer.status == 200);
        assert_eq!(won.len(), 1);
        for (answer, _) in &lost {
            answer.is_problem(problem::BAD_RESET);
        }
        let (winner, loser) = (&won[0].1, &lost[0].1);
        here.anonymous().log_in("ann@example.com", winner).await.is(200);
        let refused = there.anonymous().log_in("ann@example.com", loser).await;
        refused.is_problem(problem::BAD_LOGIN);
    }
}

/// No reset takes as long as so many requests.
const ENOUGH: usize = 500;

/// Refreshes and logs in on one instance for as long as that works; the first time it
/// does, and then all wait for each other.
async fn keep_minting(email: String, first: LoggedIn, start: Arc<Barrier>) -> Vec<LoggedIn> {
    let mut seen = vec![first.refreshed().await];
    start.wait().await;
    while seen.len() < ENOUGH {
        let last = &seen[seen.len() - 1];
        let answer = if seen.len().is_multiple_of(4) {
            last.anonymous().log_in(&email, PASSWORD).await
        } else {
            last.anonymous().refresh(&last.refresh).await
        };
        if answer.status != 200 {
            return seen;
        }
        seen.push(last.anonymous().with_tokens_of(&answer));
    }
    seen
}

#[tokio::test]
async fn pr_14_pr_15_nothing_minted_on_either_instance_outlives_a_reset() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).two().await;
    let mut minted = 0;
    for number in 0..4 {
        let email = format!("ann{number}@example.com");
        let mut sessions = vec![here.logged_in(&email).await];
        for instance in [&there, &here, &there] {
            sessions.push(instance.logged_in_again(&email).await);
        }
        let token = here.reset_token(&email).await;
        // A session each, which nobody else rotates.
        let start = Arc::new(Barrier::new(sessions.len() + 1));
        let racing: Vec<_> = sessions
            .into_iter()
            .map(|session| tokio::spawn(keep_minting(email.clone(), session, Arc::clone(&start))))
            .collect();
        start.wait().await;
        here.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
        for race in racing {
            let seen = race.await.unwrap();
            assert!(seen.len() < ENOUGH, "somebody minted on and on");
            minted += seen.len() - 1;
            for session in &seen[seen.len().saturating_sub(3)..] {
                session.at(&here).is_over().await;
                session.at(&there).is_over().await;
            }
        }
        there.anonymous().log_in(&email, PASSWORD).await.is_problem(problem::BAD_LOGIN);
        there.logged_in_with(&email, ANOTHER).await.is_alive().await;
    }
    println!("{minted} times something was minted while four passwords were replaced");
    assert!(minted >= 8, "the test proves nothing: {minted}");
}
