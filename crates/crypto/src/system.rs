//! Time, ids and randomness of the machine.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use portcullis_domain::ports::{Clock, IdGenerator, Randomness};
use portcullis_domain::{AccessTokenId, JobId, LetterId, Seed, SessionId, Timestamp, UserId};
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's one real adapter")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        let micros =
            |elapsed: std::time::Duration| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(match now.duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        })
    }
}

/// UUIDs from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

#[expect(clippy::disallowed_methods, reason = "this is the port's one real adapter")]
impl IdGenerator for SystemIds {
    fn user(&self) -> UserId {
        UserId::new(Uuid::now_v7())
    }

    fn session(&self) -> SessionId {
        SessionId::new(Uuid::new_v4())
    }

    fn access_token(&self) -> AccessTokenId {
        AccessTokenId::new(Uuid::new_v4())
    }

    fn letter(&self) -> LetterId {
        LetterId::new(Uuid::new_v4())
    }

    fn object(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn job(&self) -> JobId {
        JobId::new(Uuid::new_v4())
    }

    fn request(&self) -> Uuid {
        uuid::Builder::from_random_bytes(spare_bytes()).into_uuid()
    }
}

/// Bytes for what must be unique and guards nothing. Every request needs some for its id:
/// they are fetched many at a time.
fn spare_bytes() -> [u8; 16] {
    const FETCHED: usize = 64;
    thread_local! {
        static SPARE: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
    }
    SPARE.with_borrow_mut(|spare| {
        if spare.is_empty() {
            spare.extend_from_slice(random_bytes::<{ 16 * FETCHED }>().as_chunks().0);
        }
        spare.pop().unwrap_or_else(random_bytes)
    })
}

/// Secrets from the operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn seed(&self) -> Seed {
        Seed(random_bytes())
    }
}

/// Bytes that nobody can guess.
#[expect(clippy::expect_used, reason = "a machine without randomness cannot serve; aws-lc aborts")]
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_a_plausible_time() {
        let year_2025 = Timestamp::from_seconds(1_735_689_600);
        assert!(SystemClock.now() > year_2025);
    }

    #[test]
    fn ids_and_seeds_do_not_repeat() {
        let users: std::collections::HashSet<_> = (0..1000).map(|_| SystemIds.user()).collect();
        assert_eq!(users.len(), 1000);
        assert_ne!(SystemRandomness.seed(), SystemRandomness.seed());
        assert_eq!(SystemIds.user().as_uuid().get_version_num(), 7);
        assert_eq!(SystemIds.letter().as_uuid().get_version_num(), 4);
    }

    #[test]
    fn ids_of_requests_do_not_repeat_on_any_thread() {
        let threads = [0; 4].map(|_| {
            std::thread::spawn(|| (0..1000).map(|_| SystemIds.request()).collect::<Vec<_>>())
        });
        let ids = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let ids: std::collections::HashSet<_> = ids.collect();
        assert_eq!(ids.len(), 4000);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }
}
