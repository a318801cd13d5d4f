//! ID tokens, good and bad.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{IdentityError, IdentityProvider, RevocationCheck};
use portcullis_domain::{Claim, Email, PhoneNumber, Timestamp, VerifiedIdentity};
use portcullis_firebase::Authentication;
use portcullis_simulators::google::PublicKeys;
use serde_json::{Value, json};

use crate::cloud::{Cloud, NOW, PROJECT, claims, claims_but, key};

pub(crate) async fn verify(
    authentication: &Authentication,
    token: &str,
) -> Result<VerifiedIdentity, IdentityError> {
    authentication.verify_id_token(token.into(), RevocationCheck::Skip).await
}

/// Why a token is refused, in the words of the log.
#[track_caller]
fn told(verified: Result<VerifiedIdentity, IdentityError>) -> String {
    with_causes(&verified.unwrap_err())
}

#[tokio::test]
async fn a_good_token_says_who_bears_it() {
    let cloud = Cloud::new();
    let ann = verify(&cloud.authentication(), &cloud.mint(&claims())).await.unwrap();
    assert_eq!(ann.subject.as_str(), "ann");
    assert_eq!((ann.audience.as_str(), ann.issuer.ends_with(PROJECT)), (PROJECT, true));
    assert_eq!(ann.email, Email::parse("ann@example.com").ok());
    assert!(ann.email_verified);
    assert_eq!(ann.name.as_deref(), Some("Ann"));
    assert_eq!(ann.picture.as_deref(), Some("https://pictures.example/ann.png"));
    assert_eq!(ann.phone.as_ref().map(PhoneNumber::as_str), Some("+15551234567"));
    assert_eq!(ann.authenticated_at, Timestamp::from_seconds(NOW - 60));
    assert_eq!(ann.issued_at, Timestamp::from_seconds(NOW - 60));
    assert_eq!(ann.expires_at, Timestamp::from_seconds(NOW + 3_540));
    assert_eq!(ann.sign_in_provider.as_deref(), Some("password"));
    assert_eq!(ann.claims["role"], Claim::Text("admin".into()));
    let names: Vec<_> = ann.claims.keys().map(String::as_str).collect();
    assert_eq!(names, ["firebase", "role", "user_id"]);
}

#[tokio::test]
async fn a_token_needs_no_address_and_no_name() {
    let cloud = Cloud::new();
    let names = ["email", "email_verified", "name", "picture", "phone_number", "firebase"];
    let without = names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
    let token = cloud.mint(&claims_but(Value::Object(without)));
    let somebody = verify(&cloud.authentication(), &token).await.unwrap();
    assert_eq!((somebody.email, somebody.email_verified), (None, false));
    assert_eq!((somebody.name, somebody.phone, somebody.sign_in_provider), (None, None, None));
}

#[tokio::test]
async fn only_an_address_that_is_there_and_said_to_be_proven_is() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    for changes in [
        json!({"email": null}),
        json!({"email": "no address"}),
        json!({"email_verified": null}),
        json!({"email_verified": false}),
        json!({"email_verified": "true"}),
        json!({"email_verified": 1}),
    ] {
        let token = cloud.mint(&claims_but(changes.clone()));
        assert!(!verify(&authentication, &token).await.unwrap().email_verified, "{changes}");
    }
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_and_no_longer() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let token = cloud.mint(&claims());
    cloud.clock.advance(Duration::from_secs(3_539));
    verify(&authentication, &token).await.unwrap();
    cloud.clock.advance(Duration::from_secs(1));
    assert!(matches!(verify(&authentication, &token).await, Err(IdentityError::Expired)));
}

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let other = "https://securetoken.google.com/other";
    for (changes, why) in [
        (json!({"aud": "other"}), "its audience is another project"),
        (json!({"aud": [PROJECT]}), "its audience is another project"),
        (json!({"aud": null}), "its audience is another project"),
        (json!({"iss": other}), "its issuer is another"),
        (json!({"iss": format!("{other}/{PROJECT}")}), "its issuer is another"),
        (json!({"iss": null}), "its issuer is another"),
        (json!({"sub": null}), "its subject is missing or too long"),
        (json!({"sub": ""}), "its subject is missing or too long"),
        (json!({"sub": 7}), "its subject is missing or too long"),
        (json!({"sub": "x".repeat(129)}), "its subject is missing or too long"),
        (json!({"auth_time": NOW + 61}), "its times are missing or lie ahead"),
        (json!({"auth_time": null}), "its times are missing or lie ahead"),
        (json!({"iat": NOW + 61}), "its times are missing or lie ahead"),
        (json!({"iat": "now"}), "its times are missing or lie ahead"),
        (json!({"exp": null}), "its times are missing or lie ahead"),
    ] {
        let verified = verify(&authentication, &cloud.mint(&claims_but(changes.clone()))).await;
        assert_eq!(told(verified), format!("the ID token is invalid: {why}"), "{changes}");
    }
    // A clock that is a little ahead of ours is not a forgery.
    let ahead = claims_but(json!({"auth_time": NOW + 60, "iat": NOW + 60}));
    verify(&authentication, &cloud.mint(&ahead)).await.unwrap();
}

#[tokio::test]
async fn whatever_stands_in_a_claim_is_good_or_refused() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("ü".repeat(4_000)),
        json!([]),
        json!([null]),
        json!({}),
        json!({"sign_in_provider": {}}),
    ];
    let (mut good, mut refused) = (0, 0);
    for name in claims().as_object().unwrap().keys() {
        for value in &values {
            let mut claims = claims();
            claims[name] = value.clone();
            match verify(&authentication, &cloud.mint(&claims)).await {
                Ok(ann) => {
                    good += 1;
                    let is_ann = ann.subject.as_str() == "ann" && ann.audience == PROJECT;
                    assert!(is_ann && ann.expires_at > Timestamp::from_seconds(NOW), "{claims}");
                }
                Err(IdentityError::InvalidToken(_) | IdentityError::Expired) => refused += 1,
                Err(other) => panic!("{name} = {value}: {other}"),
            }
        }
    }
    // Eight claims may be anything. Of the six that a token stands on, an old time
    // is good, and an end in the far future.
    assert_eq!((good, refused), (8 * 15 + 3 + 3 + 1, 2 * 15 + 15 + 12 + 12 + 14));
}

/// The same header and claims, signed with HMAC under a text that everybody knows.
fn signed_by_hmac(secret: &str, key_id: &str) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": key_id});
    let message = format!("{}.{}", part(&header), part(&claims()));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&secret, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let id = cloud.keys.with(|keys| keys.current().0.to_owned());
    let forger = key(2);
    let header = |algorithm: &str| json!({"alg": algorithm, "typ": "JWT", "kid": id});
    let good = cloud.mint(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = message.split_once('.').unwrap();
    let mallory = URL_SAFE_NO_PAD.encode(claims_but(json!({"sub": "mallory"})).to_string());
    for (token, why) in [
        (PublicKeys::unsigned(&claims()), "its algorithm is not RS256"),
        (signed_by_hmac(&key(1).public_pem(), &id), "its algorithm is not RS256"),
        (key(1).token(&header("none"), &claims()), "its algorithm is not RS256"),
        (key(1).token(&header("rs256"), &claims()), "its algorithm is not RS256"),
        (key(1).token(&header("RS512"), &claims()), "its algorithm is not RS256"),
        (key(1).token(&json!({"typ": "JWT", "kid": id}), &claims()), "its algorithm is not RS256"),
        (key(1).token(&json!({"alg": "RS256"}), &claims()), "its key is unknown"),
        (key(1).token(&json!({"alg": "RS256", "kid": ""}), &claims()), "its key is unknown"),
        (forger.token(&header("RS256"), &claims()), "its signature is wrong"),
        (format!("{message}."), "its signature is wrong"),
        (format!("{head}.{mallory}.{signature}"), "its signature is wrong"),
    ] {
        let verified = verify(&authentication, &token).await;
        assert_eq!(told(verified), format!("the ID token is invalid: {why}"), "{token}");
    }
    let unknown = forger.token(&json!({"alg": "RS256", "kid": "forged"}), &claims());
    let verified = verify(&authentication, &unknown).await;
    assert_eq!(told(verified), "the ID token is invalid: its key is unknown");
}

#[tokio::test]
async fn a_key_in_the_token_itself_is_not_looked_at() {
    let cloud = Cloud::new();
    let id = cloud.keys.with(|keys| keys.current().0.to_owned());
    let forger = key(2);
    let header = json!({
        "alg": "RS256",
        "kid": id,
        "jwk": forger.jwk(&id),
        "jku": "https://keys.example/jwks",
        "x5u": "https://keys.example/certificate"
    });
    let verified = verify(&cloud.authentication(), &forger.token(&header, &claims())).await;
    assert_eq!(told(verified), "the ID token is invalid: its signature is wrong");
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking_for_keys() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let good = cloud.mint(&claims());
    let long = "x".repeat(20_000);
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "é.ü.ö",
        "e30.e30.",
        " ",
        &long,
        &good[1..],
        &format!("{good}.x"),
        &format!(" {good}"),
        &format!("{good}="),
    ] {
        let verified = verify(&authentication, text).await;
        let is_invalid = matches!(verified, Err(IdentityError::InvalidToken(_)));
        assert!(is_invalid, "{text:?}: {verified:?}");
    }
    // Only what looks like a signed token is worth a request.
    assert!(cloud.keys.take_requests().len() <= 1);
}

#[tokio::test]
async fn nothing_tells_a_token_or_what_it_says() {
    let cloud = Cloud::new();
    let authentication = cloud.authentication();
    let good = cloud.mint(&claims());
    let ann = verify(&authentication, &good).await.unwrap();
    let forged = format!("{good}x");
    let error = verify(&authentication, &forged).await.unwrap_err();
    let told = format!("{authentication:?} {ann:?} {error:?} {}", with_causes(&error));
    for secret in [good.rsplit('.').next().unwrap(), "Ann", "example.com", "+1555", "BEGIN"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}
