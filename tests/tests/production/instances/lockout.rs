//! Failed logins are counted in the database, once for all instances.

use std::collections::HashMap;

use portcullis_testkit::Redis;
use portcullis_tests::{
    Answer, PASSWORD, RightOne, Server, at_once, guess_at_once, post_of, problem,
};
use reqwest::Method;
use serde_json::json;

use crate::backends::Backends;

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "wrong password";

fn all(instances: &[Server]) -> Vec<&Server> {
    instances.iter().collect()
}

async fn is_locked_on(instances: &[Server]) {
    for instance in instances {
        let answer = instance.anonymous().log_in_by_form("johndoe", PASSWORD).await;
        answer.is_problem(problem::LOCKED);
    }
}

/// 199 wrong passwords, and the right one when ten were refused.
async fn ten_are_checked(instances: &[Server]) {
    instances[0].signed_up("johndoe", "john@example.com").await;
    let guesses = guess_at_once(&all(instances), "johndoe", RightOne::After(10)).await;
    assert_eq!(guesses.checked, 10);
    guesses.right.is_problem(problem::LOCKED);
    is_locked_on(instances).await;
}

#[tokio::test]
async fn lg_04_of_200_guesses_at_once_on_one_instance_ten_are_checked() {
    ten_are_checked(&[Backends::new().instance().await]).await;
}

#[tokio::test]
async fn lg_04_of_200_guesses_at_once_on_three_instances_ten_are_checked() {
    let redis = Redis::start();
    ten_are_checked(&Backends::new().with_redis(&redis).three().await).await;
}

#[tokio::test]
async fn lg_04_of_200_guesses_at_once_on_three_instances_without_redis_ten_are_checked() {
    ten_are_checked(&Backends::new().three().await).await;
}

/// Whether the right one comes in is a matter of luck. If it does, what was
/// counted before it is forgiven, and a new count begins.
#[tokio::test]
async fn lg_04_the_right_password_among_200_at_once_gains_no_more_than_a_new_count() {
    let instances = Backends::new().three().await;
    instances[0].signed_up("johndoe", "john@example.com").await;
    let guesses = guess_at_once(&all(&instances), "johndoe", RightOne::AtOnce).await;
    println!("{} were checked; the right one: {}", guesses.checked, guesses.right.status);
    if guesses.right.status == 200 {
        assert!(guesses.checked <= 19, "{guesses:?}");
    } else {
        // Or it was told that there is too much to hash, and counts for nothing.
        if guesses.right.status != 503 {
            guesses.right.is_problem(problem::LOCKED);
        }
        assert_eq!(guesses.checked, 10);
        is_locked_on(&instances).await;
    }
}

async fn guess_from(server: &Server, number: usize, email: &str, password: &str) -> Answer {
    let request = server
        .anonymous()
        .request(Method::POST, LOGIN)
        .header("x-forwarded-for", format!("198.51.{}.{}", number / 250, number % 250))
        .json(&json!({"email": email, "password": password}));
    Answer::to(request).await
}

/// A client each: no client's own count reaches its threshold.
#[tokio::test]
async fn lg_07_of_200_guesses_at_once_from_200_clients_on_three_instances_a_hundred_are_checked() {
    let backends = Backends::new().with("TRUSTED_PROXIES", "127.0.0.1/32");
    let instances = std::sync::Arc::new(backends.three().await);
    instances[0].verified("ann@example.com").await;
    for email in ["ann@example.com", "nobody@example.com"] {
        let answers = at_once(200, |number| {
            let instances = std::sync::Arc::clone(&instances);
            async move { guess_from(&instances[number % 3], number, email, WRONG).await }
        })
        .await;
        let (checked, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 400);
        // Some may be told that there is too much to hash; they count for nothing.
        for answer in refused.iter().filter(|answer| answer.status != 503) {
            answer.is_problem(problem::LOCKED);
        }
        let mut checked = checked.len();
        for number in 200..400 {
            let guess = guess_from(&instances[number % 3], number, email, WRONG).await;
            checked += usize::from(guess.status == 400);
        }
        assert_eq!(checked, 100, "{email}");
        for (number, instance) in instances.iter().enumerate() {
            let elsewhere = guess_from(instance, 900 + number, email, PASSWORD).await;
            elsewhere.is_problem(problem::LOCKED);
        }
    }
}

#[tokio::test]
async fn lg_02_a_lock_outlives_redis_and_every_instance() {
    let mut redis = Redis::start();
    let mut instances = Backends::new().with_redis(&redis).three().await;
    instances[0].signed_up("johndoe", "john@example.com").await;
    for number in 0..10 {
        let answer = instances[number % 3].anonymous().log_in_by_form("johndoe", WRONG).await;
        answer.is_problem(problem::BAD_FORM_LOGIN);
    }
    is_locked_on(&instances).await;
    assert_eq!(redis.command(&["flushall"]).trim(), "OK");
    is_locked_on(&instances).await;
    redis.stop();
    is_locked_on(&instances).await;
    for instance in &mut instances {
        instance.restart().await;
    }
    is_locked_on(&instances).await;
}

/// What an instance answers to each of twelve guesses, to the byte.
fn told(instances: &[Server], email: &str) -> Vec<String> {
    let body = json!({"email": email, "password": WRONG});
    let guess = post_of(LOGIN, &[], &body);
    let ask = |number: usize| instances[number % 3].connect().ask(&guess);
    (0..12).map(|number| ask(number).masked(&["retry-after"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lg_03_en_01_three_instances_lock_an_unknown_address_byte_for_byte_like_a_known_one() {
    let instances = Backends::new().three().await;
    instances[0].verified("ann@example.com").await;
    let (known, unknown) =
        (told(&instances, "ann@example.com"), told(&instances, "nob@example.com"));
    assert_eq!(known, unknown);
    let mut statuses: HashMap<&str, usize> = HashMap::new();
    for answer in &known {
        *statuses.entry(&answer[9..12]).or_default() += 1;
    }
    assert_eq!(statuses, HashMap::from([("400", 10), ("429", 2)]));
}
