//! Services that fail on demand, seen by a client.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use portcullis_simulators::{Fault, KEPT_REQUESTS, Reply, Request, Service, Simulator};
use reqwest::Client;
use serde_json::{Value, json};

/// Counts how often it was asked.
struct Counter(u32);

impl Service for Counter {
    fn answer(&mut self, request: &Request) -> Reply {
        self.0 += 1;
        Reply::json(200, &json!({"count": self.0, "path": request.path, "q": request.query}))
    }

    fn refusal(&self, status: u16) -> Reply {
        Reply::json(status, &json!({"refused": status}))
    }
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(5)).build().unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let counter = Simulator::start(Counter(0));
    let url = format!("{}/a%2Fb+c/d=e&f:g/?x=1&x=%C3%A9+2", counter.url());
    let body: Value = client().post(url).body("{}").send().await.unwrap().json().await.unwrap();
    assert_eq!(body["path"], json!(["a/b+c", "d=e&f:g", ""]));
    assert_eq!(body["q"], json!([["x", "1"], ["x", "é 2"]]));
    let request = &counter.take_requests()[0];
    assert_eq!((request.method.as_str(), request.json()), ("POST", Some(json!({}))));
    assert!(counter.take_requests().is_empty());
}

#[tokio::test]
async fn the_latest_requests_are_kept_and_no_more() {
    let counter = Simulator::start(Counter(0));
    let client = client();
    let asked = KEPT_REQUESTS + 5;
    for number in 0..asked {
        client.get(format!("{}/{number}", counter.url())).send().await.unwrap();
    }
    let kept = counter.take_requests();
    let numbers: Vec<usize> = kept.iter().map(|it| it.path[0].parse().unwrap()).collect();
    assert_eq!(numbers, (5..asked).collect::<Vec<_>>());
    assert!(counter.take_requests().is_empty());
}

#[tokio::test]
async fn a_refusal_does_nothing() {
    let counter = Simulator::start(Counter(0));
    counter.fail([Fault::Status(500), Fault::RetryAfter(429, 7)]);
    counter.fail([Fault::Refusal(403, json!({"why": 1}).to_string())]);
    let ask = async || client().get(counter.url()).send().await.unwrap();
    assert_eq!(ask().await.json::<Value>().await.unwrap(), json!({"refused": 500}));
    let busy = ask().await;
    assert_eq!(
        (busy.status().as_u16(), &busy.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(ask().await.json::<Value>().await.unwrap(), json!({"why": 1}));
    assert_eq!(ask().await.status(), 200);
    assert_eq!(counter.with(|counter| counter.0), 1);
    assert_eq!(counter.take_requests().len(), 4);
}

#[tokio::test]
async fn a_connection_is_cut_before_within_and_after_a_while() {
    let counter = Simulator::start(Counter(0));
    counter.fail([Fault::Cut, Fault::Truncate, Fault::Hang(Duration::from_millis(300))]);
    assert!(client().get(counter.url()).send().await.is_err());
    assert_eq!(counter.with(|counter| counter.0), 0);
    let half = client().get(counter.url()).send().await.unwrap();
    assert_eq!(half.status(), 200);
    assert!(half.bytes().await.is_err());
    assert_eq!(counter.with(|counter| counter.0), 1);
    let started = Instant::now();
    assert!(client().get(counter.url()).send().await.is_err());
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn what_was_announced_can_be_taken_back_and_the_port_is_free_afterwards() {
    let counter = Simulator::start(Counter(0));
    counter.fail([Fault::Cut]);
    counter.recover();
    assert_eq!(client().get(counter.url()).send().await.unwrap().status(), 200);
    let address = counter.url().trim_start_matches("http://").parse().unwrap();
    drop(counter);
    let again = Simulator::start_at(Counter(5), address).unwrap();
    assert_eq!(client().get(again.url()).send().await.unwrap().status(), 200);
}
