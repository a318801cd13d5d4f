//! A bounded number of threads with a bounded queue.
//!
//! Hashing takes a good part of a second of a core. On the threads that serve
//! requests it would stall everybody; on threads without bound a login storm
//! would take the machine. Past the queue's limit the answer is "later", at once.
//! The threads stand back behind those that serve requests, so that reads stay
//! fast while logins storm.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};
use tokio::sync::oneshot;

use super::HashingScheme;

/// How large the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Threads that hash: as many as there are cores, since each keeps one busy.
    pub threads: usize,
    /// Passwords that may wait for one, whatever they cost: a bound of memory.
    pub queue: usize,
    /// How long a password may have to wait. Whoever would wait longer, as far
    /// as the latest hashes tell, is refused at once; whoever did wait longer
    /// is refused without being hashed.
    pub patience: Duration,
}

/// Hashes passwords on threads of its own.
pub struct HashingPool {
    queue: SyncSender<Waiting>,
    load: Arc<Load>,
    settings: PoolSettings,
}

/// A job, and since when it waits.
struct Waiting {
    since: Instant,
    turn: Turn,
    job: Job,
}

/// One of those who wait.
struct Place(Arc<Load>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much there is to do.
#[derive(Default)]
struct Load {
    waiting: AtomicUsize,
    /// A running mean of what a hash takes, in microseconds; 0 before the first.
    typical: AtomicU64,
}

impl Load {
    /// How long one more job would wait.
    fn expected_wait(&self, threads: usize) -> Duration {
        let ahead = self.waiting.load(Ordering::Relaxed) / threads;
        let typical = Duration::from_micros(self.typical.load(Ordering::Relaxed));
        typical.saturating_mul(u32::try_from(ahead).unwrap_or(u32::MAX))
    }

    /// Threads may overwrite each other's note here: it is an estimate.
    fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let before = self.typical.load(Ordering::Relaxed);
        let mean = if before == 0 { took } else { before - before / 4 + took / 4 };
        self.typical.store(mean, Ordering::Relaxed);
    }
}

enum Job {
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

impl HashingPool {
    /// Starts the threads; they end when the pool is dropped.
    ///
    /// # Errors
    /// When the operating system gives no more threads.
    pub fn start(scheme: HashingScheme, settings: PoolSettings) -> std::io::Result<Self> {
        let settings = PoolSettings { threads: settings.threads.max(1), ..settings };
        let (queue, jobs) = sync_channel(settings.queue);
        let (jobs, load) = (Arc::new(Mutex::new(jobs)), Arc::new(Load::default()));
        for number in 0..settings.threads {
            let (jobs, load) = (Arc::clone(&jobs), Arc::clone(&load));
            thread::Builder::new().name(format!("hashing-{number}")).spawn(move || {
                stand_back();
                if number == 0 {
                    load.note(scheme.measure());
                }
                work(scheme, &jobs, &load, settings.patience);
            })?;
        }
        Ok(Self { queue, load, settings })
    }

    async fn submit<T>(
        &self,
        turn: Turn,
        job: Job,
        reply: oneshot::Receiver<Result<T, HasherError>>,
    ) -> Result<T, HasherError> {
        let waiting = Waiting { since: Instant::now(), turn, job };
        match self.queue.try_send(waiting) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(HasherError::Overloaded),
            Err(TrySendError::Disconnected(_)) => {
                return Err(HasherError::Failed("the hashing threads are gone".into()));
            }
        }
        reply.await.unwrap_or_else(|_| Err(HasherError::Failed("a hashing thread failed".into())))
    }
}

/// How much nicer than the rest of the process a hashing thread is. At 10 the
/// scheduler of Linux weighs it 110 against 1024: whenever a request wants the
/// core it gets nine tenths of it, and an idle core is still used in full.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of the calling thread. On Linux a thread has one of its
/// own (sched(7)); elsewhere it belongs to the process, which is left alone.
fn stand_back() {
    // Where it may not be lowered, hashing still is right.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

fn work(scheme: HashingScheme, jobs: &Mutex<Receiver<Waiting>>, load: &Load, patience: Duration) {
    loop {
        // The lock is held while waiting, not while hashing.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Waiting { since, turn, job }) = next else { return };
        let is_cancelled = turn.is_cancelled();
        // The place is free before anybody hears of it.
        drop(turn);
        if is_cancelled {
            job.refuse(HasherError::Cancelled);
            continue;
        }
        if since.elapsed() > patience {
            job.refuse(HasherError::Overloaded);
            continue;
        }
        let started = Instant::now();
        // A panic loses this job, whose reply is then dropped, and not the thread.
        let hashed = catch_unwind(AssertUnwindSafe(|| job.run(scheme)));
        if hashed.is_ok_and(|hashed| hashed) {
            load.note(started.elapsed());
        }
    }
}

impl Job {
    /// Does the work, unless whoever asked is gone; says whether it did.
    fn run(self, scheme: HashingScheme) -> bool {
        match self {
            Self::Hash { reply, .. } if reply.is_closed() => false,
            Self::Verify { reply, .. } if reply.is_closed() => false,
            Self::Hash { password, reply } => {
                drop(reply.send(scheme.hash(&password)));
                true
            }
            Self::Verify { password, hash, reply, .. } => {
                drop(reply.send(Ok(scheme.verify(&password, hash.as_ref()))));
                true
            }
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

#[async_trait]
impl PasswordHasher for HashingPool {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        if self.load.expected_wait(self.settings.threads) > self.settings.patience {
            return Err(HasherError::Overloaded);
        }
        self.load.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(Turn::new(cancellation, Place(Arc::clone(&self.load))))
    }

    async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError> {
        let (reply, receiver) = oneshot::channel();
        let turn = self.admit(Cancellation::default())?;
        self.submit(turn, Job::Hash { password, reply }, receiver).await
    }

    async fn verify(
        &self,
        turn: Turn,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        let (reply, receiver) = oneshot::channel();
        self.submit(turn, Job::Verify { password, hash, reply }, receiver).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_mins(1);

    /// How many of 40 who ask at once are hashed, and how many are refused.
    async fn crowd(pool: &HashingPool) -> (usize, usize) {
        let password = Password::parse("SecurePass123!").unwrap();
        let everybody = (0..40).map(|_| pool.hash(password.clone()));
        let outcomes = futures_util::future::join_all(everybody).await;
        let overloaded = |outcome: &&Result<_, _>| matches!(outcome, Err(HasherError::Overloaded));
        let refused = outcomes.iter().filter(overloaded).count();
        (outcomes.iter().filter(|outcome| outcome.is_ok()).count(), refused)
    }

    fn pool(cost: u32, queue: usize, patience: Duration) -> HashingPool {
        let settings = PoolSettings { threads: 1, queue, patience };
        HashingPool::start(HashingScheme::BcryptSha256 { cost }, settings).unwrap()
    }

    #[tokio::test]
    async fn do_01_past_the_queue_the_answer_is_later_and_at_once() {
        let (hashed, refused) = crowd(&pool(8, 2, PATIENT)).await;
        assert!(hashed >= 2 && hashed + refused == 40, "{hashed} hashed, {refused} refused");
        assert!(refused >= 30, "{refused} refused");
    }

    #[tokio::test]
    async fn do_01_nobody_is_admitted_who_would_wait_too_long() {
        let patience = Duration::from_millis(300);
        let pool = pool(8, 1_000, patience);
        // From then on the pool knows what a hash costs.
        pool.hash(Password::parse("SecurePass123!").unwrap()).await.unwrap();
        let cost = Duration::from_micros(pool.load.typical.load(Ordering::Relaxed));
        let admit = || pool.admit(Cancellation::default()).ok();
        let mut turns: Vec<_> = std::iter::from_fn(admit).take(10_000).collect();
        let longest = cost * u32::try_from(turns.len()).unwrap();
        assert!(longest > patience && longest <= patience + 2 * cost, "{longest:?}, {cost:?}");
        turns.pop();
        assert!(admit().is_some(), "a turn that was given back is free");
    }

    #[tokio::test]
    async fn do_01_who_waited_too_long_is_refused_without_being_hashed() {
        let pool = pool(4, 10, Duration::ZERO);
        let refused = pool.hash(Password::parse("SecurePass123!").unwrap()).await;
        assert!(matches!(refused, Err(HasherError::Overloaded)));
        assert_eq!(pool.load.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn do_01_who_left_is_not_hashed_for() {
        let pool = pool(4, 10, PATIENT);
        let cancellation = Cancellation::default();
        let turn = pool.admit(cancellation.clone()).unwrap();
        cancellation.cancel();
        let password = Password::parse("SecurePass123!").unwrap();
        let verified = pool.verify(turn, password, None).await;
        assert!(matches!(verified, Err(HasherError::Cancelled)));
    }

    /// The niceness of this process's threads by name, as the kernel tells it.
    #[cfg(target_os = "linux")]
    fn niceness_of(name: &str) -> Vec<i64> {
        let mut found = Vec::new();
        for task in std::fs::read_dir("/proc/self/task").unwrap() {
            // A thread of another test may end meanwhile.
            let Ok(line) = std::fs::read_to_string(task.unwrap().path().join("stat")) else {
                continue;
            };
            let (head, tail) = line.rsplit_once(") ").unwrap();
            if head.ends_with(name) {
                // proc_pid_stat(5): field 19, the third being the first of the tail.
                found.push(tail.split(' ').nth(16).unwrap().parse().unwrap());
            }
        }
        found
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn do_01_hashing_threads_stand_back_behind_the_others() {
        let pool = pool(4, 4, PATIENT);
        // Whoever hashed has stood back before.
        pool.hash(Password::parse("SecurePass123!").unwrap()).await.unwrap();
        let own = rustix::process::getpriority_process(None).unwrap();
        let hashing = niceness_of("(hashing-0");
        assert!(!hashing.is_empty());
        assert!(hashing.contains(&i64::from((own + NICENESS).min(19))), "{hashing:?}");
    }

    #[test]
    fn who_is_gone_is_not_worked_for() {
        let scheme = HashingScheme::BcryptSha256 { cost: 4 };
        let job = || {
            let (reply, receiver) = oneshot::channel();
            let password = Password::parse("SecurePass123!").unwrap();
            (Job::Hash { password, reply }, receiver)
        };
        let (waited_for, receiver) = job();
        assert!(waited_for.run(scheme));
        drop(receiver);
        let (abandoned, receiver) = job();
        drop(receiver);
        assert!(!abandoned.run(scheme));
    }
}
