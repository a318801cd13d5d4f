//! Notices on devices.

use std::time::Duration;

use portcullis_simulators::Fault;
use portcullis_simulators::google::Device;
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, eventually};
use reqwest::Method;

use crate::firebase::Firebase;

const TOKEN: &str = "fid-1:APA91bHun4MxP5egoKMwt2KZFBaFUH";

async fn device(caller: &LoggedIn, method: Method, token: &str) -> Answer {
    let path = format!("/api/v1/auth/me/devices/{token}");
    Answer::to(caller.request(method, &path)).await
}

async fn delivered(firebase: &Firebase, count: usize) -> Vec<serde_json::Value> {
    eventually("the notice", Duration::from_secs(10), async || {
        let delivered = firebase.messaging.with(|service| service.delivered().to_vec());
        (delivered.len() >= count).then_some(delivered)
    })
    .await
}

async fn log_in(server: &Server) {
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_device_is_told_of_each_new_sign_in_until_it_is_forgotten() {
    let firebase = Firebase::start();
    firebase.messaging.with(|service| service.put(TOKEN, Device::Registered));
    let server = firebase.server(&[]).await;
    let ann = server.logged_in("ann@example.com").await;
    device(&ann, Method::PUT, TOKEN).await.is(204);
    device(&ann, Method::PUT, TOKEN).await.is(204);
    log_in(&server).await;
    let notices = delivered(&firebase, 1).await;
    let message = &notices[0];
    assert_eq!(message["token"], TOKEN);
    assert_eq!(message["notification"]["title"], "New sign-in");
    let body = message["notification"]["body"].as_str().unwrap();
    assert!(body.contains("127.0.0.1") && body.contains("change your password"), "{body}");
    assert_eq!(message["data"]["event"], "sign_in");
    device(&ann, Method::DELETE, TOKEN).await.is(204);
    device(&ann, Method::DELETE, TOKEN).await.is_refused(404, "NOT_FOUND");
    log_in(&server).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(delivered(&firebase, 1).await.len(), 1);
    assert!(!server.log().contains(TOKEN), "a device's token is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_gone_is_forgotten_and_the_others_are_told() {
    let firebase = Firebase::start();
    let other = "fid-2:APA91bHun4MxP5egoKMwt2KZFBaFUH";
    firebase.messaging.with(|service| {
        service.put(TOKEN, Device::Unregistered);
        service.put(other, Device::Registered);
    });
    let server = firebase.server(&[]).await;
    let ann = server.logged_in("ann@example.com").await;
    device(&ann, Method::PUT, TOKEN).await.is(204);
    device(&ann, Method::PUT, other).await.is(204);
    log_in(&server).await;
    assert_eq!(delivered(&firebase, 1).await[0]["token"], other);
    eventually("the device is forgotten", Duration::from_secs(5), async || {
        (device(&ann, Method::DELETE, TOKEN).await.status == 404).then_some(())
    })
    .await;
    device(&ann, Method::DELETE, other).await.is(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_service_that_is_away_delays_the_notice_and_no_login() {
    let firebase = Firebase::start();
    firebase.messaging.with(|service| service.put(TOKEN, Device::Registered));
    let server = firebase.server(&[]).await;
    let ann = server.logged_in("ann@example.com").await;
    device(&ann, Method::PUT, TOKEN).await.is(204);
    firebase.messaging.fail([Fault::Status(500)]);
    log_in(&server).await;
    // The job is tried again after five seconds and a little.
    assert_eq!(delivered(&firebase, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_its_last_owners_and_a_bad_token_is_told() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    let ann = server.logged_in("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    device(&ann, Method::PUT, TOKEN).await.is(204);
    device(&bob, Method::DELETE, TOKEN).await.is_refused(404, "NOT_FOUND");
    device(&bob, Method::PUT, TOKEN).await.is(204);
    device(&ann, Method::DELETE, TOKEN).await.is_refused(404, "NOT_FOUND");
    device(&ann, Method::PUT, "a%20b").await.is_invalid(&["token"]);
    device(&ann, Method::PUT, &"x".repeat(4_097)).await.is_invalid(&["token"]);
    let path = format!("/api/v1/auth/me/devices/{TOKEN}");
    let anonymous = server.anonymous().request(Method::PUT, &path);
    Answer::to(anonymous).await.is_refused(403, "NOT_AUTHENTICATED");
}
