//! A thread that hashes, and whom it works for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_bcrypt_lanes::{Hashing, MAX_LANES, advance};
use portcullis_domain::ports::{HasherError, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};
use tokio::sync::oneshot;

use super::HashingScheme;
use super::task::{Output, Task};

/// Rounds between two looks at the queue: some milliseconds, so that whoever comes
/// is soon taken along, and whoever has begun goes on between work that is done at once.
const ROUNDS_AT_ONCE: u32 = 64;

/// Rounds after which others may have the core: a third of a millisecond. Niceness
/// alone does not suffice, for Linux may let a thread that it has chosen run until its
/// next tick, which is 4 ms away where it ticks 250 times a second
/// (`docs/performance.md`, reads while others log in).
const ROUNDS_ON_THE_CORE: u32 = 4;

/// How much there is to do.
#[derive(Default)]
pub(super) struct Load {
    /// Who has a turn, and waits for the work to begin.
    pub(super) waiting: AtomicUsize,
    /// A running mean of what a hash takes from a core that has a crowd to serve, in
    /// microseconds; 0 before the first.
    pub(super) typical: AtomicU64,
    /// Passwords whose hashes were computed.
    pub(super) hashed: AtomicU64,
}

impl Load {
    /// How long one more job would wait.
    pub(super) fn expected_wait(&self, threads: usize) -> Duration {
        let ahead = self.waiting.load(Ordering::Relaxed) / threads;
        let typical = Duration::from_micros(self.typical.load(Ordering::Relaxed));
        typical.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX))
    }

    /// Threads may overwrite each other's note here: it is an estimate.
    pub(super) fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.typical.load(Ordering::Relaxed);
        let mean = if before == 0 { took } else { before - before / 4 + took / 4 };
        self.typical.store(mean, Ordering::Relaxed);
    }
}

/// A job, and since when it waits.
pub(super) struct Waiting {
    pub(super) since: Instant,
    pub(super) turn: Turn,
    pub(super) job: Job,
}

/// A password, and who wants to know what of it.
pub(super) enum Job {
    Hash {
        password: Password,
        reply: oneshot::Sender<Result<PasswordHash, HasherError>>,
    },
    Verify {
        password: Password,
        hash: Option<PasswordHash>,
        reply: oneshot::Sender<Result<Verification, HasherError>>,
    },
}

/// Tells whoever asked.
type Answer = Box<dyn FnOnce()>;

impl Job {
    fn begin(self, scheme: HashingScheme) -> Task<Answer> {
        match self {
            Self::Hash { password, reply } => {
                scheme.hash(password).map(|hash| -> Answer { Box::new(|| drop(reply.send(hash))) })
            }
            Self::Verify { password, hash, reply } => scheme
                .verify(password, hash.as_ref())
                .map(|found| -> Answer { Box::new(move || drop(reply.send(Ok(found)))) }),
        }
    }

    /// Tells whoever asked that there will be no hash.
    fn refuse(self, reason: HasherError) {
        match self {
            Self::Hash { reply, .. } => drop(reply.send(Err(reason))),
            Self::Verify { reply, .. } => drop(reply.send(Err(reason))),
        }
    }
}

/// A password that is worked on beside others.
struct Lane {
    hashing: Hashing,
    finish: Box<dyn FnOnce(Output) -> Answer>,
    /// What it has taken from the core so far.
    share: Duration,
    /// Whether all lanes were in use all the time.
    is_of_a_crowd: bool,
}

/// A thread's work. Whoever waits is taken along as soon as there is a lane, and
/// nobody waits for company.
pub(super) struct Worker {
    scheme: HashingScheme,
    queue: Arc<Mutex<Receiver<Waiting>>>,
    load: Arc<Load>,
    patience: Duration,
    lanes: Vec<Lane>,
}

impl Worker {
    pub(super) fn new(
        scheme: HashingScheme,
        queue: Arc<Mutex<Receiver<Waiting>>>,
        load: Arc<Load>,
        patience: Duration,
    ) -> Self {
        Self { scheme, queue, load, patience, lanes: Vec::with_capacity(MAX_LANES) }
    }

    /// Works until the pool is gone and nobody waits any more.
    pub(super) fn run(mut self) {
        while self.fill_lanes() {
            self.advance();
        }
    }

    /// Says whether there is anything to do.
    fn fill_lanes(&mut self) -> bool {
        while self.lanes.len() < MAX_LANES
            && let Some(waiting) = self.next()
        {
            let was_long = self.take_on(waiting);
            // Those in the lanes have waited for it.
            if was_long && !self.lanes.is_empty() {
                break;
            }
        }
        !self.lanes.is_empty()
    }

    /// The next in the queue; for whoever has nothing else to do, as soon as there is
    /// one.
    fn next(&self) -> Option<Waiting> {
        if self.lanes.is_empty() {
            // The lock is held while waiting, not while hashing.
            return self.queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        }
        match self.queue.try_lock() {
            Ok(queue) => queue.try_recv().ok(),
            Err(TryLockError::Poisoned(queue)) => queue.into_inner().try_recv().ok(),
            // An idle thread waits there: on a core of its own the next one is faster.
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Says whether all of the work was done at once.
    fn take_on(&mut self, Waiting { since, turn, job }: Waiting) -> bool {
        let is_cancelled = turn.is_cancelled();
        // The place is free before anybody hears of it.
        drop(turn);
        if is_cancelled {
            job.refuse(HasherError::Cancelled);
            return false;
        }
        if since.elapsed() > self.patience {
            job.refuse(HasherError::Overloaded);
            return false;
        }
        // A panic loses this job, whose reply is then dropped, and not the thread.
        let was_long = catch_unwind(AssertUnwindSafe(|| match job.begin(self.scheme) {
            Task::Rounds(hashing, finish) => {
                let share = Duration::ZERO;
                self.lanes.push(Lane { hashing, finish, share, is_of_a_crowd: true });
                false
            }
            Task::Whole(work) => {
                let started = Instant::now();
                let answer = work();
                self.load.note(started.elapsed());
                self.answer(answer);
                true
            }
        }));
        was_long.unwrap_or(true)
    }

    /// Goes on a little with all lanes, and answers for those that are done. Others have
    /// the core meanwhile if they want it.
    fn advance(&mut self) {
        // What others took is part of what whoever comes has to wait for.
        let started = Instant::now();
        let mut together: Vec<_> = self.lanes.iter_mut().map(|lane| &mut lane.hashing).collect();
        for _ in 0..ROUNDS_AT_ONCE / ROUNDS_ON_THE_CORE {
            thread::yield_now();
            advance(&mut together, ROUNDS_ON_THE_CORE);
            // Whoever is done does not wait for what others do with the core.
            if together.iter().any(|hashing| hashing.rounds_left() == 0) {
                break;
            }
        }
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let (share, is_crowd) = (started.elapsed() / lanes, self.lanes.len() == MAX_LANES);
        for lane in &mut self.lanes {
            lane.share += share;
            lane.is_of_a_crowd &= is_crowd;
        }
        while let Some(done) = self.lanes.iter().position(|lane| lane.hashing.rounds_left() == 0) {
            let lane = self.lanes.swap_remove(done);
            let _ = catch_unwind(AssertUnwindSafe(|| self.finish(lane)));
        }
    }

    /// Notes what it took before anybody hears of it. Without a crowd nobody waits,
    /// and what a hash takes then says nothing about the wait.
    fn finish(&self, mut lane: Lane) {
        let Some(output) = lane.hashing.output() else { return };
        let answer = (lane.finish)(output);
        if lane.is_of_a_crowd {
            self.load.note(lane.share);
        }
        self.answer(answer);
    }

    fn answer(&self, answer: Answer) {
        self.load.hashed.fetch_add(1, Ordering::Relaxed);
        answer();
    }
}
