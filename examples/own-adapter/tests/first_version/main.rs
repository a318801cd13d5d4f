//! The first version breaks the laws that the guide says it breaks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adapter;

use std::sync::Arc;

use adapter::FirstVersion;
use portcullis_conformance::limiter;
use portcullis_domain::ports::RateLimiter;
use tokio::task::JoinError;

fn text_of(failure: JoinError) -> String {
    let panic = failure.into_panic();
    // A text without values is not a `String`.
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.unwrap_or_else(|| panic.downcast_ref::<String>().unwrap().clone())
}

/// What a law says to the first version; `None` if it holds.
macro_rules! said {
    ($law:ident) => {{
        let first: Arc<dyn RateLimiter> = Arc::new(FirstVersion::default());
        let law = tokio::spawn(async move { limiter::$law(&first).await });
        law.await.err().map(text_of)
    }};
}

#[tokio::test]
async fn its_window_does_not_slide() {
    assert_eq!(said!(the_window_slides).unwrap(), "1: a moment too early");
}

#[tokio::test]
async fn a_clock_that_steps_back_shuts_its_clients_out() {
    let said = said!(a_clock_that_steps_back_shuts_nobody_out_for_longer_than_a_window);
    assert_eq!(said.unwrap(), "still shut out, a window later");
}

#[tokio::test]
async fn the_other_laws_hold() {
    assert_eq!(said!(the_limit_passes_and_not_one_more), None);
    assert_eq!(said!(a_refused_request_takes_nothing), None);
    assert_eq!(said!(of_200_parallel_requests_the_limit_passes), None);
    assert_eq!(said!(buckets_do_not_touch_each_other), None);
}
