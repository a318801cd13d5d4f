//! A Cloud Messaging that refuses, is busy or is away.

use std::time::{Duration, Instant};

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Notifier, PushError};
use portcullis_simulators::Fault;
use portcullis_simulators::google::{Device, TokenEndpoint};

use crate::cloud::DEADLINE;
use crate::messaging::{CloudMessaging, device, hello, messaging};

fn register(service: &CloudMessaging, number: usize) {
    service.with(|service| service.put(device(number).expose(), Device::Registered));
}

fn refusal(status: u16, code: &str, name: &str) -> Fault {
    let detail = format!(
        r#"{{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"{name}"}}"#
    );
    let error = format!(
        r#"{{"error":{{"code":{status},"message":"No.","status":"{code}","details":[{detail}]}}}}"#
    );
    Fault::Refusal(status, error)
}

const OLD_FORM: &str = r#"{"error": {
    "code": 400,
    "message": "Request contains an invalid argument.",
    "status": "INVALID_ARGUMENT",
    "details": [{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": "message.token", "description": "Invalid registration token"}]
    }]
}}"#;

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    type Check = fn(&PushError) -> bool;
    let cases: [(Fault, Check); 15] = [
        (refusal(404, "NOT_FOUND", "UNREGISTERED"), |it| matches!(it, PushError::Unregistered(_))),
        // An address or a project that is wrong in the settings makes nobody forget tokens.
        (Fault::Status(404), |it| matches!(it, PushError::Unexpected(_))),
        (Fault::Refusal(404, "<html>".into()), |it| matches!(it, PushError::Unexpected(_))),
        (refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), |it| {
            matches!(it, PushError::Refused(_))
        }),
        // How a malformed token was answered years ago.
        (Fault::Refusal(400, OLD_FORM.into()), |it| matches!(it, PushError::Unregistered(_))),
        (refusal(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), |it| {
            matches!(it, PushError::Refused(_))
        }),
        (Fault::Status(403), |it| matches!(it, PushError::Denied(_))),
        (refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), |it| {
            matches!(it, PushError::Denied(_))
        }),
        (refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), |it| {
            matches!(it, PushError::RateLimited { .. })
        }),
        (refusal(500, "INTERNAL", "INTERNAL"), |it| matches!(it, PushError::Unavailable(_))),
        (Fault::Status(503), |it| matches!(it, PushError::Unavailable(_))),
        (Fault::Cut, |it| matches!(it, PushError::Unavailable(_))),
        (Fault::Truncate, |it| matches!(it, PushError::Unavailable(_))),
        (Fault::Refusal(200, "{}".into()), |it| matches!(it, PushError::Unexpected(_))),
        (Fault::Refusal(302, String::new()), |it| matches!(it, PushError::Unexpected(_))),
    ];
    for (fault, is_meant) in cases {
        let (_cloud, service, messaging) = messaging();
        register(&service, 1);
        service.fail(vec![fault.clone(); 3]);
        let failure = messaging.notify(device(1), hello()).await.unwrap_err();
        assert!(is_meant(&failure), "{fault:?}: {}", with_causes(&failure));
        service.recover();
        messaging.notify(device(1), hello()).await.unwrap();
    }
}

#[tokio::test]
async fn what_may_have_been_delivered_is_not_delivered_again() {
    for fault in [Fault::Status(500), Fault::Cut, Fault::Truncate] {
        let (_cloud, service, messaging) = messaging();
        register(&service, 1);
        service.fail([fault.clone()]);
        messaging.notify(device(1), hello()).await.unwrap_err();
        assert_eq!(service.take_requests().len(), 1, "{fault:?}");
        assert!(service.with(|service| service.delivered().len()) <= 1);
    }
}

#[tokio::test]
async fn what_was_certainly_not_delivered_is() {
    let (_cloud, service, messaging) = messaging();
    register(&service, 1);
    service.fail([Fault::Status(503), Fault::RetryAfter(429, 1)]);
    let started = Instant::now();
    messaging.notify(device(1), hello()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(service.with(|service| service.delivered().len()), 1);
}

#[tokio::test]
async fn a_long_wait_is_told() {
    let (_cloud, service, messaging) = messaging();
    service.fail([Fault::RetryAfter(429, 60)]);
    match messaging.notify(device(1), hello()).await.unwrap_err() {
        PushError::RateLimited { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_mins(1)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other() {
    let (_cloud, service, messaging) = messaging();
    (0..20).for_each(|number| register(&service, number));
    // The access token is there already, so that the first message meets the fault.
    messaging.notify(device(0), hello()).await.unwrap();
    service.fail([Fault::Hang(Duration::from_secs(30))]);
    let started = Instant::now();
    let deliveries = messaging.notify_many((0..20).map(device).collect(), hello()).await;
    assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
    let failed: Vec<_> = deliveries.iter().filter_map(|it| it.outcome.as_ref().err()).collect();
    assert!(matches!(failed[..], [PushError::Unavailable(_)]), "{failed:?}");
}

#[tokio::test]
async fn without_credentials_everything_is_denied_at_once() {
    let (cloud, service, messaging) = messaging();
    cloud.endpoint.with(TokenEndpoint::forget_all);
    let deliveries = messaging.notify_many((0..10).map(device).collect(), hello()).await;
    for delivery in deliveries {
        assert!(matches!(delivery.outcome, Err(PushError::Denied(_))), "{delivery:?}");
    }
    assert!(service.take_requests().is_empty());
}

#[tokio::test]
async fn nothing_tells_a_whole_token() {
    let (_cloud, service, messaging) = messaging();
    let token = device(1);
    let quoting = format!(r#"{{"error":{{"message":"bad {}"}}}}"#, token.expose());
    service.fail([Fault::Refusal(400, quoting)]);
    let deliveries = messaging.notify_many(vec![token.clone()], hello()).await;
    let error = deliveries[0].outcome.as_ref().unwrap_err();
    let told = format!("{messaging:?} {deliveries:?} {}", with_causes(error));
    assert!(!told.contains(token.expose()) && !told.contains("ya29"), "{told}");
}

/// It is about Firebase's own key for Apple's service, and not about our token.
#[tokio::test]
async fn a_key_that_apple_refuses_costs_no_access_token() {
    let (cloud, service, messaging) = messaging();
    register(&service, 1);
    service.fail(vec![refusal(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"); 2]);
    let failure = messaging.notify(device(1), hello()).await.unwrap_err();
    assert!(matches!(failure, PushError::Denied(_)), "{failure}");
    assert_eq!((service.take_requests().len(), cloud.bearers.count()), (1, 1));
}
