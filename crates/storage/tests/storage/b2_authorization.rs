//! How long Backblaze's authorization may keep whom waiting.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use portcullis_domain::error::with_causes;
use portcullis_simulators::{Fault, Reply, Request, Service, Simulator, b2};
use portcullis_storage::{B2, B2Error, B2Settings};

const KEY_ID: &str = "0041234567890ab0000000001";
const KEY: &str = "K004s3cretZm9yZ2VkLWtleQ";

fn client(url: &str, key: &str, deadline: Duration) -> B2 {
    let settings = B2Settings::new(url.parse().unwrap(), KEY_ID, key.into());
    B2::new(B2Settings { deadline, ..settings }).unwrap()
}

/// So many calls at once, and what went wrong.
async fn failures(b2: &B2, count: usize) -> Vec<B2Error> {
    let calls = (0..count).map(|_| b2.list_buckets());
    join_all(calls).await.into_iter().map(|answer| answer.unwrap_err()).collect()
}

#[tokio::test]
async fn who_waits_for_an_authorization_shares_its_failure() {
    let server = Simulator::start(b2::B2::new(KEY_ID, KEY));
    let b2 = client(&server.url(), "K004wrong-s3cret", Duration::from_secs(3));
    for error in failures(&b2, 20).await {
        assert!(matches!(error, B2Error::Denied(_)), "{error:?}");
        let told = with_causes(&error);
        assert!(told.contains("401 unauthorized"), "{told}");
    }
    assert_eq!(server.take_requests().len(), 1, "each asked for itself");
    let good = client(&server.url(), KEY, Duration::from_secs(3));
    let hour = Some(Duration::from_hours(1));
    server.fail([Fault::RetryAfter(429, 3_600)]);
    for error in failures(&good, 20).await {
        assert!(
            matches!(&error, B2Error::RateLimited { retry_after, .. } if *retry_after == hour),
            "{error:?}"
        );
    }
    assert_eq!(server.take_requests().len(), 1, "each asked for itself");
    // Who comes later asks again.
    good.list_buckets().await.unwrap();
    assert!(b2.list_buckets().await.is_err());
    assert_eq!(server.with(|b2| b2.authorizations()), 1);
}

#[tokio::test]
async fn of_many_who_wait_for_silence_each_is_told_in_time() {
    let server = Simulator::start(b2::B2::new(KEY_ID, KEY));
    let deadline = Duration::from_secs(1);
    let b2 = client(&server.url(), KEY, deadline);
    server.fail(vec![Fault::Hang(Duration::from_mins(1)); 8]);
    let begun = Instant::now();
    for error in failures(&b2, 8).await {
        assert!(matches!(error, B2Error::Unavailable(_)), "{error:?}");
    }
    assert!(begun.elapsed() < 2 * deadline, "{:?}", begun.elapsed());
}

/// Backblaze where everything takes a while.
struct Slow(b2::B2, Duration);

impl Service for Slow {
    fn answer(&mut self, request: &Request) -> Reply {
        std::thread::sleep(self.1);
        self.0.answer(request)
    }

    fn refusal(&self, status: u16) -> Reply {
        self.0.refusal(status)
    }
}

#[tokio::test]
async fn a_call_and_all_it_takes_have_one_deadline() {
    let (deadline, step) = (Duration::from_secs(2), Duration::from_millis(1_200));
    let server = Simulator::start(Slow(b2::B2::new(KEY_ID, KEY), step));
    let b2 = client(&server.url(), KEY, deadline);
    let late = |begun: Instant, answer: Result<_, B2Error>| {
        assert!(matches!(answer, Err(B2Error::Unavailable(_))), "{answer:?}");
        let taken = begun.elapsed();
        assert!(taken < 2 * step, "{taken:?}");
    };
    // An authorization, then the call itself.
    let begun = Instant::now();
    late(begun, b2.list_buckets().await);
    tokio::time::sleep(step).await;
    // A call whose token has expired, then an authorization, then another call.
    b2.authorize().await.unwrap();
    b2.list_buckets().await.unwrap();
    server.with(|slow| slow.0.expire_tokens());
    let begun = Instant::now();
    late(begun, b2.list_buckets().await);
}
