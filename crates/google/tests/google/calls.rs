//! Calls that carry access tokens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_api_client::{ApiClient, ClientSettings, Method, Repeat};
use portcullis_google::{Authorization, Failure, FailureKind, GoogleApi, Scope};
use portcullis_simulators::google::Firestore;
use portcullis_simulators::{Fault, Simulator};

use crate::cloud::{Cloud, DEADLINE, PROJECT};

/// An API that takes the cloud's tokens, and calls of it.
fn api(cloud: &Cloud, scope: Scope) -> (Simulator<Firestore>, GoogleApi) {
    let service = Simulator::start(Firestore::new(PROJECT, cloud.bearers.clone()));
    let base_url = service.url().parse().unwrap();
    let settings = ClientSettings { deadline: DEADLINE, ..ClientSettings::new(base_url) };
    let client = ApiClient::new(settings).unwrap();
    (service, GoogleApi::new(client, Authorization::Account(cloud.tokens(), scope)))
}

/// The documents of an empty collection.
const EMPTY: [&str; 7] =
    ["v1", "projects", PROJECT, "databases", "(default)", "documents", "empty"];

/// Asks for them.
async fn ask(api: &GoogleApi) -> Result<u16, Failure> {
    let answer = api.send(Repeat::Safe, |api| api.call(Method::GET, &EMPTY)).await?;
    Ok(answer.status.as_u16())
}

#[tokio::test]
async fn a_call_carries_a_token_of_its_scope() {
    let cloud = Cloud::new();
    let (_service, api) = api(&cloud, Scope::DATASTORE);
    assert_eq!(ask(&api).await.unwrap(), 200);
    assert_eq!(ask(&api).await.unwrap(), 200);
    assert_eq!(cloud.bearers.count(), 1);
}

#[tokio::test]
async fn a_token_of_another_scope_is_denied_and_not_replaced() {
    let cloud = Cloud::new();
    let (service, api) = api(&cloud, Scope::MESSAGING);
    let failure = ask(&api).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Denied);
    assert_eq!((service.take_requests().len(), cloud.bearers.count()), (1, 1));
}

#[tokio::test]
async fn a_token_that_went_bad_is_replaced_once_for_all() {
    let cloud = Cloud::new();
    let (_service, api) = api(&cloud, Scope::DATASTORE);
    ask(&api).await.unwrap();
    cloud.bearers.expire_all();
    let api = Arc::new(api);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let api = Arc::clone(&api);
        callers.spawn(async move { ask(&api).await.unwrap() });
    }
    assert_eq!(callers.join_all().await, [200; 20]);
    assert_eq!(cloud.bearers.count(), 2);
}

#[tokio::test]
async fn an_api_that_takes_no_token_is_asked_twice_and_no_more() {
    let cloud = Cloud::new();
    let (service, api) = api(&cloud, Scope::DATASTORE);
    service.fail(vec![Fault::Status(401); 5]);
    assert_eq!(ask(&api).await.unwrap_err().kind(), FailureKind::Denied);
    assert_eq!((service.take_requests().len(), cloud.bearers.count()), (2, 2));
}

#[tokio::test]
async fn trouble_with_tokens_is_trouble_with_the_call() {
    let cloud = Cloud::new();
    let (service, api) = api(&cloud, Scope::DATASTORE);
    cloud.endpoint.fail([Fault::RetryAfter(429, 60)]);
    let limited = FailureKind::RateLimited(Some(Duration::from_mins(1)));
    assert_eq!(ask(&api).await.unwrap_err().kind(), limited);
    cloud.endpoint.with(portcullis_simulators::google::TokenEndpoint::forget_all);
    assert_eq!(ask(&api).await.unwrap_err().kind(), FailureKind::Denied);
    assert!(service.take_requests().is_empty());
}

#[tokio::test]
async fn a_call_with_its_tokens_has_one_deadline() {
    for opens in [false, true] {
        let cloud = Cloud::new();
        let (service, api) = api(&cloud, Scope::DATASTORE);
        // The token takes most of the time, and the service more than the rest.
        cloud.endpoint.fail([Fault::Hang(Duration::from_secs(2))]);
        service.fail(vec![Fault::Hang(Duration::from_secs(30)); 5]);
        let started = Instant::now();
        let failure = if opens {
            api.open(Repeat::Safe, |api| api.call(Method::GET, &EMPTY)).await.unwrap_err()
        } else {
            ask(&api).await.unwrap_err()
        };
        assert_eq!(failure.kind(), FailureKind::Unavailable);
        assert_eq!(cloud.bearers.count(), 1);
        assert!(started.elapsed() < DEADLINE + DEADLINE / 3, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn what_is_opened_is_repeated_as_it_says() {
    let cloud = Cloud::new();
    let (service, api) = api(&cloud, Scope::DATASTORE);
    let open =
        async |repeat| api.open(repeat, |api| api.call(Method::GET, &EMPTY)).await.map(|_| ());
    service.fail([Fault::Status(503)]);
    open(Repeat::Safe).await.unwrap();
    service.fail([Fault::Status(503)]);
    assert_eq!(open(Repeat::Never).await.unwrap_err().kind(), FailureKind::Unavailable);
    assert_eq!(service.take_requests().len(), 3);
    cloud.bearers.expire_all();
    open(Repeat::Never).await.unwrap();
    assert_eq!(cloud.bearers.count(), 2);
}
