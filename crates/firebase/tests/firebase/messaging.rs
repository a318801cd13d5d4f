//! Notifications, and a Cloud Messaging that is as strict as it is published.

use std::time::{Duration, Instant};

use portcullis_domain::ports::{MalformedNotification, Notifier, PushError};
use portcullis_domain::{DeviceToken, Notification};
use portcullis_firebase::{FirebaseSettings, InvalidFirebaseSettings, Messaging};
use portcullis_simulators::google::{self, Device};
use portcullis_simulators::{Fault, Simulator};
use serde_json::json;

use crate::cloud::{Cloud, PROJECT};

pub(crate) type CloudMessaging = Simulator<google::Messaging>;

/// A Cloud Messaging and an adapter that sends so many notifications at once.
pub(crate) fn messaging_at(concurrency: u16) -> (Cloud, CloudMessaging, Messaging) {
    let cloud = Cloud::new();
    let service = Simulator::start(google::Messaging::new(PROJECT, cloud.bearers.clone()));
    let messaging_url = Some(service.url());
    let settings = FirebaseSettings { messaging_url, concurrency, ..cloud.settings() };
    let messaging = Messaging::new(cloud.tokens(), &settings).unwrap();
    (cloud, service, messaging)
}

pub(crate) fn messaging() -> (Cloud, CloudMessaging, Messaging) {
    messaging_at(32)
}

/// A token that looks like one.
pub(crate) fn device(number: usize) -> DeviceToken {
    DeviceToken::parse(&format!("fid-{number}:APA91bHun4MxP5egoKMwt2KZFBaFUH")).unwrap()
}

pub(crate) fn hello() -> Notification {
    Notification {
        title: "New sign-in".into(),
        body: "Grüße aus Łódź 🙂 \"quoted\"".into(),
        data: [("session".to_owned(), "42".to_owned())].into(),
    }
}

#[tokio::test]
async fn a_device_is_notified_of_what_was_written() {
    let (_cloud, service, messaging) = messaging();
    service.with(|service| service.put(device(1).expose(), Device::Registered));
    let id = messaging.notify(device(1), hello()).await.unwrap();
    assert_eq!(id.0, "projects/demo-portcullis/messages/0:1");
    let delivered = service.with(|service| service.delivered().to_vec());
    assert_eq!(
        delivered,
        [json!({
            "token": device(1).expose(),
            "notification": {"title": "New sign-in", "body": "Grüße aus Łódź 🙂 \"quoted\""},
            "data": {"session": "42"}
        })]
    );
}

#[tokio::test]
async fn each_of_750_devices_has_an_answer_of_its_own() {
    let (cloud, service, messaging) = messaging();
    let state = |number: usize| match number % 10 {
        3 => Some(Device::Unregistered),
        5 => Some(Device::OtherSender),
        7 => Some(Device::Broken),
        9 => None,
        _ => Some(Device::Registered),
    };
    service.with(|service| {
        for number in 0..750 {
            if let Some(state) = state(number) {
                service.put(device(number).expose(), state);
            }
        }
    });
    let devices: Vec<_> = (0..750).map(device).collect();
    let deliveries = messaging.notify_many(devices.clone(), hello()).await;
    assert_eq!(deliveries.len(), 750);
    for (number, delivery) in deliveries.iter().enumerate() {
        assert!(delivery.device == devices[number], "{number}");
        let is_right = match state(number) {
            Some(Device::Registered) => delivery.outcome.is_ok(),
            Some(Device::Unregistered) | None => {
                matches!(delivery.outcome, Err(PushError::Unregistered(_)))
            }
            Some(Device::OtherSender) => matches!(delivery.outcome, Err(PushError::Refused(_))),
            _ => matches!(delivery.outcome, Err(PushError::Unavailable(_))),
        };
        assert!(is_right, "{number}: {:?}", delivery.outcome);
    }
    let delivered = service.with(|service| service.delivered().to_vec());
    assert_eq!(delivered.len(), 450);
    // One request each, and one access token for all.
    assert_eq!(service.take_requests().len(), 750);
    assert_eq!(cloud.bearers.count(), 1);
}

#[tokio::test]
async fn nobody_is_notified_of_an_empty_list() {
    let (_cloud, service, messaging) = messaging();
    assert!(messaging.notify_many(vec![], hello()).await.is_empty());
    assert!(service.take_requests().is_empty());
}

#[tokio::test]
async fn so_many_are_under_way_at_once_and_no_more() {
    let (_cloud, service, messaging) = messaging_at(2);
    service.fail(vec![Fault::Hang(Duration::from_millis(600)); 6]);
    let started = Instant::now();
    let deliveries = messaging.notify_many((0..6).map(device).collect(), hello()).await;
    let took = started.elapsed();
    assert!(deliveries.iter().all(|delivery| delivery.outcome.is_err()));
    assert!(took >= Duration::from_millis(1_800), "{took:?}");
    assert!(took < Duration::from_millis(3_400), "{took:?}");
}

#[tokio::test]
async fn an_access_token_that_goes_bad_is_replaced_once_for_all() {
    let (cloud, service, messaging) = messaging();
    let devices: Vec<_> = (0..100).map(device).collect();
    service.with(|service| {
        for device in &devices {
            service.put(device.expose(), Device::Registered);
        }
    });
    messaging.notify(device(0), hello()).await.unwrap();
    cloud.bearers.expire_all();
    let deliveries = messaging.notify_many(devices, hello()).await;
    assert!(deliveries.iter().all(|delivery| delivery.outcome.is_ok()));
    assert_eq!(cloud.bearers.count(), 2);
    assert_eq!(service.with(|service| service.delivered().len()), 101);
}

#[tokio::test]
async fn a_token_is_judged_without_a_word_on_the_screen() {
    let (_cloud, service, messaging) = messaging();
    service.with(|service| {
        service.put(device(1).expose(), Device::Registered);
        service.put(device(2).expose(), Device::Unregistered);
        service.put(device(3).expose(), Device::OtherSender);
        service.put(device(4).expose(), Device::Flooded);
    });
    assert!(messaging.is_registered(device(1)).await.unwrap());
    assert!(!messaging.is_registered(device(2)).await.unwrap());
    assert!(!messaging.is_registered(device(3)).await.unwrap());
    let nonsense = DeviceToken::parse("nonsense").unwrap();
    assert!(!messaging.is_registered(nonsense).await.unwrap());
    let limited = messaging.is_registered(device(4)).await;
    assert!(matches!(limited, Err(PushError::RateLimited { .. })), "{limited:?}");
    let (judged, delivered) = service.with(|service| (service.judged(), service.delivered().len()));
    assert_eq!((judged, delivered), (1, 0));
}

#[tokio::test]
async fn what_was_never_a_token_is_to_be_forgotten_too() {
    let (_cloud, _service, messaging) = messaging();
    let nonsense = DeviceToken::parse("nonsense").unwrap();
    let refused = messaging.notify(nonsense, hello()).await;
    assert!(matches!(refused, Err(PushError::Unregistered(_))), "{refused:?}");
}

#[tokio::test]
async fn what_can_be_sent_to_nobody_is_not_sent() {
    let (_cloud, service, messaging) = messaging();
    let long = Notification { body: "x".repeat(5_000), ..hello() };
    let reserved =
        Notification { data: [("google.x".to_owned(), String::new())].into(), ..hello() };
    for (notification, which) in [
        (Notification::default(), MalformedNotification::Empty),
        (long, MalformedNotification::TooLong),
        (reserved, MalformedNotification::DataName),
    ] {
        let mut outcomes = vec![messaging.notify(device(1), notification.clone()).await];
        let many = messaging.notify_many(vec![device(1), device(2)], notification).await;
        outcomes.extend(many.into_iter().map(|delivery| delivery.outcome));
        assert_eq!(outcomes.len(), 3);
        for outcome in outcomes {
            assert!(matches!(&outcome, Err(PushError::Malformed(it)) if *it == which));
        }
    }
    assert!(service.take_requests().is_empty());
}

#[tokio::test]
async fn settings_are_checked() {
    let cloud = Cloud::new();
    for concurrency in [0, 257] {
        let settings = FirebaseSettings { concurrency, ..cloud.settings() };
        let refused = Messaging::new(cloud.tokens(), &settings);
        assert!(matches!(refused, Err(InvalidFirebaseSettings::Concurrency)));
    }
    let messaging_url = Some("http://fcm.example".to_owned());
    let settings = FirebaseSettings { messaging_url, ..cloud.settings() };
    let refused = Messaging::new(cloud.tokens(), &settings).unwrap_err();
    assert!(matches!(refused, InvalidFirebaseSettings::Url("the address of Cloud Messaging", _)));
}
