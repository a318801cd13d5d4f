//! Limits and locks are counted together.

use portcullis_testkit::Redis;
use portcullis_tests::{PASSWORD, at_once, problem};
use serde_json::json;

use super::in_turn;
use crate::backends::Backends;

#[tokio::test]
async fn the_limit_per_address_is_one_for_both() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let (here, there) = limited.two().await;
    let answers = at_once(40, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.post("/api/v1/auth/password-reset/confirm", &json!({})).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 422) {
        refused.is_problem(problem::TOO_MANY);
    }
}

#[tokio::test]
async fn r_47_rl_04_of_200_logins_at_once_on_three_instances_ten_pass() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let instances = limited.with("LOCKOUT_THRESHOLD", "50").three().await;
    let answers = at_once(200, |number| {
        let caller = instances[number % 3].anonymous();
        async move { caller.log_in("nobody@example.com", PASSWORD).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 400) {
        refused.is_problem(problem::TOO_MANY);
    }
}

#[tokio::test]
async fn rl_08_the_limit_per_user_is_one_for_both() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let (here, there) = limited.with("RATE_LIMIT_USER", "6").two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let elsewhere = john.at(&there);
    let answers = at_once(20, |number| {
        let session = if number % 2 == 0 { john.clone() } else { elsewhere.clone() };
        async move { session.me().await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 6);
}

#[tokio::test]
async fn guesses_on_both_get_no_extra_try_also_without_redis() {
    let (here, there) = Backends::new().two().await;
    here.signed_up("johndoe", "john@example.com").await;
    let answers = at_once(48, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.log_in_by_form("johndoe", "wrong password").await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 401) {
        refused.is_problem(problem::LOCKED);
    }
    for instance in [&here, &there] {
        let answer = instance.anonymous().log_in_by_form("johndoe", PASSWORD).await;
        answer.is_problem(problem::LOCKED);
    }
}
