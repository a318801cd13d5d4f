//! Health: what it asks, and what it answers to whom.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_app::Ports;
use portcullis_domain::StoreError;
use portcullis_domain::ports::{Store, UnitOfWork};
use reqwest::Client;
use serde_json::Value;

use crate::{parts, serve};

/// A database that is asked for signs of life, and takes its time.
#[derive(Default)]
struct CountedStore {
    asked: AtomicUsize,
    is_away: AtomicBool,
}

#[async_trait]
impl Store for CountedStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Err(StoreError::Unavailable("nothing is stored here".into()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if self.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("canary.example.com refuses".into()));
        }
        Ok(())
    }
}

async fn get(client: &Client, address: SocketAddr, path: &str) -> (u16, Value, String) {
    let answer = client.get(format!("http://{address}{path}")).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn do_09_op_10_health_is_asked_of_the_database_by_one_at_a_time_and_once_a_second() {
    let store = Arc::new(CountedStore::default());
    let (address, _) = serve(Ports { store: store.clone(), ..parts::ports() });
    let client = Client::builder().no_proxy().build().unwrap();
    let started = Instant::now();
    for _ in 0..4 {
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..250 {
            let client = client.clone();
            let path = ["/health", "/health/ready"][number % 2];
            asking.spawn(async move { get(&client, address, path).await.0 });
        }
        assert!(asking.join_all().await.iter().all(|status| *status == 200));
    }
    let (asked, took) = (store.asked.load(Ordering::Relaxed), started.elapsed());
    println!("1,000 checks in {took:?} asked the database {asked} times");
    assert!(asked <= 1 + usize::try_from(took.as_secs()).unwrap() + 1, "{asked} in {took:?}");

    store.is_away.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (status, body, text) = get(&client, address, "/health").await;
    assert_eq!((status, &body["error"]), (503, &Value::from("Database connection failed")));
    assert!(!text.contains("canary"), "{text}");
    let (status, body, _) = get(&client, address, "/health/ready").await;
    assert_eq!((status, &body["status"]), (503, &Value::from("not ready")));
    let (status, body, _) = get(&client, address, "/health/live").await;
    assert_eq!((status, &body["status"]), (200, &Value::from("alive")));
    // A recovery is seen sooner than a failure.
    store.is_away.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(get(&client, address, "/health/ready").await.0, 200);
}

#[tokio::test]
async fn op_10_a_server_that_stops_is_alive_and_not_ready() {
    let (address, api) = serve(parts::ports());
    let client = Client::builder().no_proxy().build().unwrap();
    assert_eq!(get(&client, address, "/health/ready").await.0, 200);
    api.traffic().withdraw();
    let (status, body, _) = get(&client, address, "/health/ready").await;
    assert_eq!((status, &body["reason"]), (503, &Value::from("Stopping")));
    assert_eq!(get(&client, address, "/health").await.0, 200);
    assert_eq!(get(&client, address, "/health/live").await.0, 200);
}
