//! Signed tokens of users who are known to Google's emulator.

use portcullis_crypto::SystemClock;
use portcullis_domain::ports::{Clock, IdentityError, IdentityProvider, RevocationCheck};
use portcullis_domain::{Timestamp, VerifiedIdentity};
use portcullis_firebase::Authentication;
use portcullis_simulators::Fault;
use serde_json::json;

use crate::cloud::{Cloud, PROJECT, claims_but, emulator};
use crate::emulator::user;

/// What verifies signatures, asks the emulator for users, and shares its time.
fn authentication() -> (Cloud, Authentication) {
    let identity_url = format!("http://{}/identitytoolkit.googleapis.com", emulator().host());
    // Not before the emulator is there, which may take a while.
    let cloud = Cloud::at(SystemClock.now().as_seconds());
    let authentication = cloud.authentication_at(&identity_url);
    (cloud, authentication)
}

/// A token of somebody who signed in then.
fn token(cloud: &Cloud, id: &str, signed_in_at: Timestamp) -> String {
    let now = cloud.clock.now().as_seconds();
    cloud.mint(&claims_but(json!({
        "sub": id,
        "auth_time": signed_in_at.as_seconds(),
        "iat": now,
        "exp": now + 3_600
    })))
}

async fn ask(
    authentication: &Authentication,
    token: &str,
) -> Result<VerifiedIdentity, IdentityError> {
    authentication.verify_id_token(token.into(), RevocationCheck::Ask).await
}

#[tokio::test]
async fn a_sign_in_before_a_revocation_is_revoked() {
    let (cloud, authentication) = authentication();
    let created = authentication.create(user("revoked")).await.unwrap();
    let since = created.tokens_valid_from.unwrap();
    let of_that_second = token(&cloud, "revoked", since);
    ask(&authentication, &of_that_second).await.unwrap();

    let revoked_at = (since.as_seconds() + 1).to_string();
    let update = json!({"localId": "revoked", "validSince": revoked_at});
    let _ = emulator().as_admin(PROJECT, "accounts:update", &update);
    let refused = ask(&authentication, &of_that_second).await;
    assert!(matches!(refused, Err(IdentityError::Revoked)), "{refused:?}");
    // Whoever does not ask does not hear of it.
    let skipped = of_that_second.as_str().into();
    authentication.verify_id_token(skipped, RevocationCheck::Skip).await.unwrap();
    let later = token(&cloud, "revoked", Timestamp::from_seconds(since.as_seconds() + 1));
    ask(&authentication, &later).await.unwrap();
}

#[tokio::test]
async fn a_disabled_user_is_refused() {
    let (cloud, authentication) = authentication();
    let created = authentication.create(user("disabled")).await.unwrap();
    let token = token(&cloud, "disabled", created.tokens_valid_from.unwrap());
    ask(&authentication, &token).await.unwrap();
    let update = json!({"localId": "disabled", "disableUser": true});
    let _ = emulator().as_admin(PROJECT, "accounts:update", &update);
    let refused = ask(&authentication, &token).await;
    assert!(matches!(refused, Err(IdentityError::Disabled)), "{refused:?}");
}

#[tokio::test]
async fn a_user_who_is_gone_is_not_found() {
    let (cloud, authentication) = authentication();
    let token = token(&cloud, "gone", cloud.clock.now());
    let refused = ask(&authentication, &token).await;
    assert!(matches!(refused, Err(IdentityError::NotFound)), "{refused:?}");
}

#[tokio::test]
async fn only_a_good_token_is_worth_the_question() {
    let (cloud, authentication) = authentication();
    let good = token(&cloud, "unasked", cloud.clock.now());
    cloud.clock.advance(std::time::Duration::from_hours(1));
    let refused = ask(&authentication, &good).await;
    assert!(matches!(refused, Err(IdentityError::Expired)), "{refused:?}");
    let refused = ask(&authentication, &format!("{good}x")).await;
    assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");
    assert_eq!(cloud.bearers.count(), 0);
}

#[tokio::test]
async fn a_question_without_an_answer_lets_nobody_in() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let token = token(&cloud, "ann", cloud.clock.now());
    let refused = ask(&authentication, &token).await;
    assert!(matches!(refused, Err(IdentityError::Unavailable(_))), "{refused:?}");
    cloud.endpoint.fail([Fault::Refusal(400, r#"{"error":"invalid_grant"}"#.into())]);
    let refused = ask(&cloud.authentication(), &token).await;
    assert!(matches!(refused, Err(IdentityError::Denied(_))), "{refused:?}");
}
