//! Waiting for a condition, racing, and telling the time.

use std::time::{Duration, Instant, UNIX_EPOCH};

use tokio::task::JoinSet;

/// Asks again and again until there is something; fails when there is nothing
/// within the time.
pub async fn eventually<T>(what: &str, within: Duration, probe: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(started.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

/// Runs as many tasks at the same time and collects what each gives, in the
/// order in which they end.
pub async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..count {
        tasks.spawn(task(number));
    }
    tasks.join_all().await
}

/// The time as the server should see it, in seconds of Unix time.
#[must_use]
pub fn unix_now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs()
}
