//! Fetching access tokens, and keeping them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_google::{AccessTokens, Scope, TokenError};
use portcullis_simulators::Fault;
use portcullis_simulators::google::RsaKey;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;

use crate::cloud::{CLIENT, Cloud, DEADLINE};

async fn token(tokens: &AccessTokens) -> Result<String, TokenError> {
    tokens.token(Scope::MESSAGING).await.map(|token| token.expose_secret().to_owned())
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let cloud = Cloud::new();
    let tokens = cloud.tokens();
    let first = token(&tokens).await.unwrap();
    // It lasts 3599 seconds, and is not sent in the last 60 of them.
    cloud.advance(Duration::from_secs(3_538));
    assert_eq!(token(&tokens).await.unwrap(), first);
    assert_eq!(cloud.bearers.count(), 1);
    cloud.advance(Duration::from_secs(1));
    assert_ne!(token(&tokens).await.unwrap(), first);
    assert_eq!(cloud.bearers.count(), 2);
}

#[tokio::test]
async fn a_token_that_lasts_a_few_seconds_is_used_for_half_of_them() {
    let cloud = Cloud::new();
    cloud.endpoint.with(|endpoint| endpoint.lifetime_seconds = 10);
    let tokens = cloud.tokens();
    token(&tokens).await.unwrap();
    cloud.advance(Duration::from_secs(4));
    token(&tokens).await.unwrap();
    assert_eq!(cloud.bearers.count(), 1);
    cloud.advance(Duration::from_secs(1));
    token(&tokens).await.unwrap();
    assert_eq!(cloud.bearers.count(), 2);
}

#[tokio::test]
async fn a_hundred_callers_at_once_fetch_one_token() {
    let cloud = Cloud::new();
    let tokens = cloud.tokens();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let tokens = Arc::clone(&tokens);
        callers.spawn(async move { token(&tokens).await.unwrap() });
    }
    let all = callers.join_all().await;
    assert!(all.iter().all(|one| *one == all[0]));
    assert_eq!(cloud.endpoint.take_requests().len(), 1);
}

#[tokio::test]
async fn each_scope_has_a_token_of_its_own() {
    let cloud = Cloud::new();
    let tokens = cloud.tokens();
    let messaging = token(&tokens).await.unwrap();
    let storage = tokens.token(Scope::STORAGE).await.unwrap();
    assert_ne!(storage.expose_secret(), messaging);
    assert_eq!(token(&tokens).await.unwrap(), messaging);
}

#[tokio::test]
async fn of_many_callers_with_a_refused_token_one_fetches_another() {
    let cloud = Cloud::new();
    let tokens = cloud.tokens();
    let refused: SecretString = token(&tokens).await.unwrap().into();
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (tokens, refused) = (Arc::clone(&tokens), refused.clone());
        callers.spawn(async move { tokens.another(Scope::MESSAGING, &refused).await.unwrap() });
    }
    for another in callers.join_all().await {
        assert_ne!(another.expose_secret(), refused.expose_secret());
    }
    assert_eq!(cloud.bearers.count(), 2);
}

#[tokio::test]
async fn wrong_credentials_are_denied() {
    let cloud = Cloud::new();
    let stranger = cloud.account_with("stranger@example.com", RsaKey::generate().private_pem());
    let forger = cloud.account_with(CLIENT, RsaKey::generate().private_pem());
    for (account, told) in [(stranger, "account not found"), (forger, "Invalid JWT")] {
        let refused = token(&cloud.tokens_of(account)).await.unwrap_err();
        assert!(matches!(&refused, TokenError::Denied(said) if said.contains(told)), "{refused}");
    }
    // A clock that is wrong by two hours looks the same.
    cloud.clock.advance(Duration::from_hours(2));
    let refused = token(&cloud.tokens()).await.unwrap_err();
    assert!(matches!(refused, TokenError::Denied(_)), "{refused}");
    assert_eq!(cloud.bearers.count(), 0);
}

#[tokio::test]
async fn a_short_wait_is_kept_and_a_long_one_told() {
    let cloud = Cloud::new();
    cloud.endpoint.fail([Fault::RetryAfter(429, 1)]);
    let started = Instant::now();
    token(&cloud.tokens()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    cloud.endpoint.fail([Fault::RetryAfter(429, 3_600)]);
    match token(&cloud.tokens()).await.unwrap_err() {
        TokenError::RateLimited { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_hours(1)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_moment_s_trouble_is_passed_over() {
    for fault in [Fault::Status(500), Fault::Status(503), Fault::Cut, Fault::Truncate] {
        let cloud = Cloud::new();
        cloud.endpoint.fail([fault.clone()]);
        assert!(token(&cloud.tokens()).await.is_ok(), "{fault:?}");
    }
}

#[tokio::test]
async fn lasting_trouble_is_told_and_does_not_outlast_itself() {
    for fault in [Fault::Status(500), Fault::Cut, Fault::Truncate] {
        let cloud = Cloud::new();
        let tokens = cloud.tokens();
        cloud.endpoint.fail(vec![fault.clone(); 3]);
        let failure = token(&tokens).await.unwrap_err();
        assert!(matches!(failure, TokenError::Unavailable(_)), "{fault:?}: {failure}");
        token(&tokens).await.unwrap();
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_waited_for_once_by_all_together() {
    let cloud = Cloud::new();
    cloud.endpoint.fail(vec![Fault::Hang(Duration::from_secs(30)); 40]);
    let tokens = cloud.tokens();
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let tokens = Arc::clone(&tokens);
        callers.spawn(async move { token(&tokens).await.unwrap_err() });
    }
    for failure in callers.join_all().await {
        assert!(matches!(failure, TokenError::Unavailable(_)), "{failure}");
    }
    assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
    cloud.endpoint.recover();
    token(&tokens).await.unwrap();
}

#[tokio::test]
async fn whoever_leaves_while_fetching_holds_up_nobody() {
    let cloud = Cloud::new();
    cloud.endpoint.fail([Fault::Hang(Duration::from_secs(30))]);
    let tokens = cloud.tokens();
    let impatient = Arc::clone(&tokens);
    let leaves = tokio::spawn(async move {
        tokio::time::timeout(Duration::from_millis(300), token(&impatient)).await.is_err()
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    token(&tokens).await.unwrap();
    assert!(leaves.await.unwrap());
}

#[tokio::test]
async fn an_answer_that_is_not_published_is_not_believed() {
    for body in [
        "{}",
        "[]",
        "<html>",
        r#"{"access_token":"t","expires_in":0,"token_type":"Bearer"}"#,
        r#"{"access_token":"t","expires_in":3600,"token_type":"mac"}"#,
    ] {
        let cloud = Cloud::new();
        cloud.endpoint.fail([Fault::Refusal(200, body.into())]);
        let failure = token(&cloud.tokens()).await.unwrap_err();
        assert!(matches!(failure, TokenError::Unexpected(_)), "{body}: {failure}");
    }
}

#[tokio::test]
async fn nothing_tells_a_token_or_a_key() {
    let cloud = Cloud::new();
    let tokens = cloud.tokens();
    let kept = token(&tokens).await.unwrap();
    let quoting = format!(r#"{{"error":"invalid_grant","error_description":"no {kept}"}}"#);
    cloud.endpoint.fail([Fault::Refusal(400, quoting)]);
    let refused: SecretString = kept.clone().into();
    let failure = tokens.another(Scope::MESSAGING, &refused).await.unwrap_err();
    let told = format!("{tokens:?} {failure} {failure:?}");
    assert!(!told.contains(&kept) && !told.contains("BEGIN"), "{told}");
}
