//! An Identity Toolkit that refuses, is busy or is away.

use std::time::{Duration, Instant};

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{IdentityError, IdentityProvider, MalformedIdentity};
use portcullis_domain::{Claim, Claims, Identity, IdentityKey, NewIdentity};
use portcullis_firebase::Authentication;
use portcullis_simulators::{Fault, Reply, Request, Service, Simulator};
use serde_json::json;

use crate::cloud::{Cloud, DEADLINE};
use crate::emulator::subject;

/// Knows nobody, makes anybody, and cannot look up whom it made if so told.
struct Users {
    is_forgetful: bool,
}

impl Service for Users {
    fn answer(&mut self, request: &Request) -> Reply {
        match request.segments()[..] {
            [_, _, _, "accounts"] => Reply::json(200, &json!({"localId": "new"})),
            [_, _, _, "accounts:lookup"] if self.is_forgetful => self.refusal(400),
            _ => Reply::json(200, &json!({})),
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        Reply::json(status, &json!({"error": {"code": status, "message": "TRY_LATER"}}))
    }
}

fn users() -> (Cloud, Simulator<Users>, Authentication) {
    let cloud = Cloud::new();
    let users = Simulator::start(Users { is_forgetful: false });
    let authentication = cloud.authentication_at(&users.url());
    (cloud, users, authentication)
}

async fn find(authentication: &Authentication) -> Result<Option<Identity>, IdentityError> {
    authentication.find(IdentityKey::Subject(subject("ann"))).await
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    type Check = fn(&IdentityError) -> bool;
    let quota = r#"{"error":{"code":400,"message":"QUOTA_EXCEEDED : Exceeded quota"}}"#;
    let cases: [(Fault, Check); 10] = [
        (Fault::Status(400), |it| matches!(it, IdentityError::Unexpected(_))),
        (Fault::Refusal(400, quota.into()), |it| matches!(it, IdentityError::RateLimited { .. })),
        (Fault::Status(403), |it| matches!(it, IdentityError::Denied(_))),
        (Fault::Status(404), |it| matches!(it, IdentityError::Unexpected(_))),
        (Fault::Status(429), |it| matches!(it, IdentityError::RateLimited { .. })),
        (Fault::Status(500), |it| matches!(it, IdentityError::Unavailable(_))),
        (Fault::Status(503), |it| matches!(it, IdentityError::Unavailable(_))),
        (Fault::Cut, |it| matches!(it, IdentityError::Unavailable(_))),
        (Fault::Truncate, |it| matches!(it, IdentityError::Unavailable(_))),
        (Fault::Refusal(200, "<html>".into()), |it| matches!(it, IdentityError::Unexpected(_))),
    ];
    for (fault, is_meant) in cases {
        let (_cloud, users, authentication) = users();
        users.fail(vec![fault.clone(); 3]);
        let failure = find(&authentication).await.unwrap_err();
        assert!(is_meant(&failure), "{fault:?}: {}", with_causes(&failure));
        users.recover();
        assert!(find(&authentication).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_wait_is_kept_if_it_is_short_and_told_if_it_is_long() {
    let (_cloud, users, authentication) = users();
    users.fail([Fault::RetryAfter(429, 1)]);
    let started = Instant::now();
    assert!(find(&authentication).await.unwrap().is_none());
    assert!(started.elapsed() >= Duration::from_secs(1));
    users.fail([Fault::RetryAfter(429, 90)]);
    match find(&authentication).await.unwrap_err() {
        IdentityError::RateLimited { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_secs(90)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_unavailable_within_the_time_out() {
    let (_cloud, users, authentication) = users();
    users.fail(vec![Fault::Hang(Duration::from_secs(30)); 5]);
    let started = Instant::now();
    let failure = find(&authentication).await.unwrap_err();
    assert!(matches!(failure, IdentityError::Unavailable(_)), "{failure}");
    assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn nobody_is_created_twice() {
    for fault in [Fault::Status(500), Fault::Cut, Fault::Truncate] {
        let (_cloud, users, authentication) = users();
        users.fail([fault.clone()]);
        let failure = authentication.create(NewIdentity::default()).await.unwrap_err();
        assert!(matches!(failure, IdentityError::Unavailable(_)), "{fault:?}: {failure}");
        assert_eq!(users.take_requests().len(), 1, "{fault:?}");
    }
    let (_cloud, users, authentication) = users();
    users.fail([Fault::Status(503)]);
    authentication.create(NewIdentity::default()).await.unwrap();
}

#[tokio::test]
async fn a_user_who_was_created_is_told_of_whatever_happens_next() {
    let (_cloud, users, authentication) = users();
    users.with(|users| users.is_forgetful = true);
    let asked = NewIdentity { name: Some("Ann".into()), ..NewIdentity::default() };
    let created = authentication.create(asked).await.unwrap();
    assert_eq!((created.subject.as_str(), created.name.as_deref()), ("new", Some("Ann")));
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_asked() {
    let (cloud, users, authentication) = users();
    for size in [0, 1_001] {
        let refused = authentication.list(size, None).await;
        let is_named =
            matches!(refused, Err(IdentityError::Malformed(MalformedIdentity::PageSize)));
        assert!(is_named, "{size}");
    }
    let claim = |name: &str, value| Claims::from([(name.to_owned(), value)]);
    for (claims, which) in [
        (claim("sub", Claim::Null), MalformedIdentity::ReservedClaim),
        (claim("firebase", Claim::Null), MalformedIdentity::ReservedClaim),
        (claim("a", Claim::Text("x".repeat(1_000))), MalformedIdentity::ClaimsTooLong),
        (claim("a", Claim::Float(f64::NAN)), MalformedIdentity::Claim),
    ] {
        let token = authentication.custom_token(subject("ann"), claims.clone()).await;
        let set = authentication.set_custom_claims(subject("ann"), claims).await;
        for refused in [token.map(|_| ()), set] {
            let is_named = matches!(&refused, Err(IdentityError::Malformed(it)) if *it == which);
            assert!(is_named, "{which:?}: {refused:?}");
        }
    }
    assert!(users.take_requests().is_empty());
    assert_eq!(cloud.bearers.count(), 0);
}

#[tokio::test]
async fn requests_name_the_project_and_carry_a_token() {
    let (_cloud, users, authentication) = users();
    authentication.list(7, Some("next page".into())).await.unwrap();
    let request = &users.take_requests()[0];
    assert_eq!(request.segments(), ["v1", "projects", "demo-portcullis", "accounts:batchGet"]);
    assert_eq!(request.parameter("maxResults"), Some("7"));
    assert_eq!(request.parameter("nextPageToken"), Some("next page"));
    assert!(request.bearer().unwrap().starts_with("ya29."));
}
