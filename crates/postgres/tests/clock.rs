//! The clock that instances share.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use portcullis_domain::StoreError;
use portcullis_domain::ports::Clock;
use portcullis_postgres::DatabaseClock;
use portcullis_testkit::{Fault, FaultProxy};

mod database;

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_came_late_is_not_believed() {
    let url = database::fresh_url();
    let port = url.split("127.0.0.1:").nth(1).unwrap();
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let way = FaultProxy::to_port(port.parse().unwrap());
    let store = portcullis_postgres::open(&way.url(&url).parse().unwrap(), 1).unwrap();
    let clock = DatabaseClock::of(store).await.unwrap();
    clock.read().await.unwrap();
    let before = clock.now();
    way.set(Fault::slow(Duration::from_millis(1_500)));
    let late = clock.read().await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    way.set(Fault::None);
    clock.read().await.unwrap();
    let passed = clock.now().since(before);
    assert!((1..10).contains(&passed.as_secs()), "{passed:?}");
}
