//! A machine with a defect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_conformance::System;
use portcullis_conformance::build::START;
use portcullis_domain::ports::{Clock, IdGenerator, Randomness};
use portcullis_domain::{AccessTokenId, JobId, LetterId, Seed, SessionId, Timestamp, UserId};
use uuid::{Builder, Uuid};

use super::Defect;

/// A machine with that defect.
pub(crate) fn broken_system(defect: Defect) -> System {
    let machine = Arc::new(Machine { defect, started: Instant::now(), drawn: AtomicU64::new(0) });
    System { clock: machine.clone(), ids: machine.clone(), randomness: machine }
}

struct Machine {
    defect: Defect,
    started: Instant,
    drawn: AtomicU64,
}

impl Machine {
    fn is_up(&self) -> Duration {
        self.started.elapsed()
    }

    fn draw(&self) -> u64 {
        match self.defect {
            // Every value twice.
            Defect::CountAnew => self.drawn.fetch_add(1, Ordering::SeqCst) / 2,
            _ => self.drawn.fetch_add(1, Ordering::SeqCst),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own ids")]
    fn random(&self) -> Uuid {
        match self.defect {
            Defect::BeForeseeable | Defect::CountAnew => {
                Builder::from_random_bytes(u128::from(self.draw()).to_be_bytes()).into_uuid()
            }
            _ => Uuid::new_v4(),
        }
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        match self.defect {
            Defect::CountMilliseconds => {
                Timestamp::from_micros(START.as_micros() / 1_000) + self.is_up() / 1_000
            }
            Defect::CountSeconds => START + Duration::from_secs(self.is_up().as_secs()),
            _ => START + self.is_up(),
        }
    }
}

impl IdGenerator for Machine {
    fn user(&self) -> UserId {
        let (up, number) = (self.is_up(), self.draw());
        let millis = 1_000_000 + u64::try_from(up.as_millis()).unwrap();
        let millis = if self.defect == Defect::CountDown { u64::MAX >> 16 } else { millis };
        // Distinct in spite of a time that stands still, and counted down.
        let number = if self.defect == Defect::CountDown { u64::MAX - number } else { number };
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        UserId::new(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    fn session(&self) -> SessionId {
        SessionId::new(self.random())
    }

    fn access_token(&self) -> AccessTokenId {
        AccessTokenId::new(self.random())
    }

    fn letter(&self) -> LetterId {
        LetterId::new(self.random())
    }

    fn object(&self) -> Uuid {
        self.random()
    }

    fn job(&self) -> JobId {
        JobId::new(self.random())
    }

    fn request(&self) -> Uuid {
        self.random()
    }
}

impl Randomness for Machine {
    fn seed(&self) -> Seed {
        // Two of them, since a UUID holds six bits that never change.
        let mixed = match self.defect {
            Defect::BeForeseeable | Defect::CountAnew => self.random().as_u128(),
            _ => self.random().as_u128() ^ self.random().as_u128().rotate_left(64),
        };
        Seed(mixed.to_be_bytes())
    }
}
