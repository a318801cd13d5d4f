//! Whoever comes first, comes first on both.

use portcullis_testkit::Redis;
use portcullis_tests::{Answer, at_once, problem};

use super::in_turn;
use crate::backends::Backends;

async fn one_successor(backends: Backends) {
    let (here, there) = backends.two().await;
    let first = here.logged_in("ann@example.com").await;
    let answers = at_once(64, |number| {
        let (caller, token) = (in_turn(&here, &there, number), first.refresh.clone());
        async move { caller.refresh(&token).await }
    })
    .await;
    assert_eq!(answers.len(), 64);
    for answer in &answers {
        answer.is(200);
        assert_eq!(answer.str("/refresh_token"), answers[0].str("/refresh_token"));
    }
    assert_ne!(answers[0].str("/refresh_token"), first.refresh);
    for instance in [&here, &there] {
        instance.anonymous().with_tokens_of(&answers[0]).is_alive().await;
    }
}

#[tokio::test]
async fn sixty_four_tabs_on_both_get_one_successor() {
    let redis = Redis::start();
    one_successor(Backends::new().with_redis(&redis)).await;
}

#[tokio::test]
async fn without_redis_sixty_four_tabs_on_both_get_one_successor() {
    one_successor(Backends::new()).await;
}

/// Uniqueness is the database's word, not an instance's.
#[tokio::test]
async fn of_24_who_want_a_username_on_both_one_gets_it() {
    let (here, there) = Backends::new().two().await;
    let answers: Vec<Answer> = at_once(24, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.sign_up("johndoe", &format!("john{number}@example.com")).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::SIGN_UP_FAILED);
    }
}
