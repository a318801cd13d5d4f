//! Many at once.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::Barrier;

/// Starts `count` tasks together, each with its number, and gathers what they give.
pub(crate) async fn race<T, F>(count: u32, task: impl Fn(u32) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count as usize));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (start, run) = (Arc::clone(&start), task(number));
            tokio::spawn(async move {
                start.wait().await;
                run.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("a racing task panicked"));
    }
    results
}

/// Polls a future `polls` times and then drops it where it stands; says
/// whether it finished first.
pub(crate) async fn cancel_after<F: Future>(polls: u32, future: F) -> bool {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_micros(300)).await;
    }
    false
}
