//! Keys come and go, and sometimes cannot be had.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_domain::ports::IdentityError;
use portcullis_simulators::Fault;
use serde_json::json;
use tokio::task::JoinSet;

use crate::cloud::{Cloud, DEADLINE, NOW, claims, claims_but, key};
use crate::id_tokens::verify;

/// A token that is good for days, so that keys go before it does.
fn lasting() -> serde_json::Value {
    claims_but(json!({"exp": NOW + 1_000_000}))
}

fn requests(cloud: &Cloud) -> usize {
    cloud.keys.take_requests().len()
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept_as_long_as_their_answer_says() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let token = cloud.mint(&lasting());
    for _ in 0..3 {
        verify(&authentication, &token).await.unwrap();
    }
    cloud.clock.advance(Duration::from_secs(17_999));
    verify(&authentication, &token).await.unwrap();
    assert_eq!(requests(&cloud), 1);
    cloud.clock.advance(Duration::from_secs(1));
    verify(&authentication, &token).await.unwrap();
    assert_eq!(requests(&cloud), 1);
}

#[tokio::test]
async fn a_hundred_tokens_at_once_fetch_the_keys_once() {
    let cloud = Cloud::new();
    let authentication = Arc::new(cloud.authentication());
    let token = cloud.mint(&claims());
    let mut all = JoinSet::new();
    for _ in 0..100 {
        let (authentication, token) = (Arc::clone(&authentication), token.clone());
        all.spawn(async move { verify(&authentication, &token).await.unwrap() });
    }
    all.join_all().await;
    assert_eq!(requests(&cloud), 1);
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_is_forgotten() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let first = cloud.mint(&lasting());
    verify(&authentication, &first).await.unwrap();
    cloud.clock.advance(Duration::from_secs(10));
    cloud.keys.with(|keys| keys.rotate(key(2)));
    let second = cloud.mint(&lasting());
    verify(&authentication, &second).await.unwrap();
    verify(&authentication, &first).await.unwrap();
    assert_eq!(requests(&cloud), 2);
    // The key before the last is no longer published.
    cloud.keys.with(|keys| keys.rotate(key(3)));
    cloud.clock.advance(Duration::from_secs(10));
    verify(&authentication, &cloud.mint(&lasting())).await.unwrap();
    let refused = verify(&authentication, &first).await;
    assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");
    verify(&authentication, &second).await.unwrap();
}

#[tokio::test]
async fn made_up_keys_cost_a_request_in_ten_seconds() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    verify(&authentication, &cloud.mint(&claims())).await.unwrap();
    assert_eq!(requests(&cloud), 1);
    cloud.clock.advance(Duration::from_secs(10));
    for number in 0..50 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        let refused = verify(&authentication, &key(2).token(&header, &claims())).await;
        assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");
    }
    assert_eq!(requests(&cloud), 1);
    cloud.clock.advance(Duration::from_secs(9));
    let header = json!({"alg": "RS256", "kid": "made-up"});
    verify(&authentication, &key(2).token(&header, &claims())).await.unwrap_err();
    assert_eq!(requests(&cloud), 0);
}

#[tokio::test]
async fn keys_are_kept_for_a_day_while_none_are_to_be_had() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let token = cloud.mint(&lasting());
    verify(&authentication, &token).await.unwrap();
    cloud.keys.fail(vec![Fault::Status(503); 100]);
    cloud.clock.advance(Duration::from_hours(5));
    verify(&authentication, &token).await.unwrap();
    let asked = requests(&cloud);
    assert!(asked > 1, "{asked}");
    // It is not asked for every token.
    for _ in 0..20 {
        verify(&authentication, &token).await.unwrap();
    }
    assert_eq!(requests(&cloud), 0);
    cloud.clock.advance(Duration::from_hours(24));
    let refused = verify(&authentication, &token).await;
    assert!(matches!(refused, Err(IdentityError::Unavailable(_))), "{refused:?}");
    cloud.keys.recover();
    cloud.clock.advance(Duration::from_secs(10));
    verify(&authentication, &token).await.unwrap();
}

#[tokio::test]
async fn without_keys_nobody_is_called_a_forger() {
    for fault in [Fault::Status(500), Fault::Status(404), Fault::Cut, Fault::Truncate] {
        let cloud = Cloud::new();
        let authentication = cloud.authentication();
        cloud.keys.fail(vec![fault.clone(); 10]);
        let token = cloud.mint(&lasting());
        for _ in 0..2 {
            let refused = verify(&authentication, &token).await;
            let is_unavailable = matches!(refused, Err(IdentityError::Unavailable(_)));
            assert!(is_unavailable, "{fault:?}: {refused:?}");
        }
        cloud.keys.recover();
        cloud.clock.advance(Duration::from_secs(10));
        verify(&authentication, &token).await.unwrap();
    }
}

#[tokio::test]
async fn keys_that_are_none_do_not_take_the_place_of_those_that_are() {
    for body in ["", "[]", "<html>", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#]
    {
        let cloud = Cloud::new();
        let authentication = cloud.authentication();
        let token = cloud.mint(&lasting());
        verify(&authentication, &token).await.unwrap();
        cloud.clock.advance(Duration::from_hours(5));
        cloud.keys.fail([Fault::Refusal(200, body.into())]);
        verify(&authentication, &token).await.unwrap();
        assert_eq!(requests(&cloud), 2, "{body}");
    }
}

#[tokio::test]
async fn an_answer_without_an_age_is_kept_for_five_minutes() {
    let cloud = Cloud::new();
    cloud.keys.with(|keys| keys.max_age = None);
    let authentication = cloud.authentication();
    let token = cloud.mint(&lasting());
    verify(&authentication, &token).await.unwrap();
    cloud.clock.advance(Duration::from_secs(299));
    verify(&authentication, &token).await.unwrap();
    assert_eq!(requests(&cloud), 1);
    cloud.clock.advance(Duration::from_secs(1));
    verify(&authentication, &token).await.unwrap();
    assert_eq!(requests(&cloud), 1);
}

#[tokio::test]
async fn a_key_endpoint_that_hangs_holds_up_one_and_only_for_the_time_out() {
    let cloud = Cloud::new();
    let authentication = Arc::new(cloud.authentication());
    let token = cloud.mint(&lasting());
    verify(&authentication, &token).await.unwrap();
    cloud.clock.advance(Duration::from_hours(5));
    cloud.keys.fail(vec![Fault::Hang(Duration::from_secs(30)); 10]);
    let started = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..10 {
        let (authentication, token) = (Arc::clone(&authentication), token.clone());
        all.spawn(async move {
            verify(&authentication, &token).await.unwrap();
            started.elapsed()
        });
    }
    let mut times = all.join_all().await;
    times.sort();
    assert!(times[8] < DEADLINE / 2, "{times:?}");
    assert!(times[9] < 2 * DEADLINE, "{times:?}");
}

#[tokio::test]
async fn without_keys_a_hanging_endpoint_is_waited_for_once() {
    let cloud = Cloud::new();
    let authentication = Arc::new(cloud.authentication());
    let token = cloud.mint(&claims());
    cloud.keys.fail(vec![Fault::Hang(Duration::from_secs(30)); 50]);
    let started = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..10 {
        let (authentication, token) = (Arc::clone(&authentication), token.clone());
        all.spawn(async move { verify(&authentication, &token).await.unwrap_err() });
    }
    for error in all.join_all().await {
        assert!(matches!(error, IdentityError::Unavailable(_)), "{error}");
    }
    assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn whoever_hangs_up_costs_no_further_request() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let token = cloud.mint(&claims());
    cloud.keys.fail(vec![Fault::Hang(Duration::from_secs(30)); 50]);
    for _ in 0..20 {
        let hung_up =
            tokio::time::timeout(Duration::from_millis(20), verify(&authentication, &token));
        assert!(hung_up.await.is_err());
    }
    // Whoever stays hears how the one fetch ended, and so does the next.
    for _ in 0..2 {
        let refused = verify(&authentication, &token).await;
        assert!(matches!(refused, Err(IdentityError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(requests(&cloud), 1);
    cloud.keys.recover();
    cloud.clock.advance(Duration::from_secs(10));
    verify(&authentication, &token).await.unwrap();
}
