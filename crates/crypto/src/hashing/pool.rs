//! A bounded number of threads with a bounded queue.
//!
//! Hashing takes a good part of a second of a core. On the threads that serve
//! requests it would stall everybody; on threads without bound a login storm
//! would take the machine. Past the queue's limit the answer is "later", at once.
//! The threads stand back behind those that serve requests, and often let others
//! have the core, so that reads stay fast while logins storm. Each works on several
//! passwords at a time where that costs less than one after the other.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};
use tokio::sync::oneshot;

use super::HashingScheme;
use super::worker::{Job, Load, Waiting, Worker};

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

/// One of those who wait.
struct Place(Arc<Load>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
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
                Worker::new(scheme, jobs, load, settings.patience).run();
            })?;
        }
        Ok(Self { queue, load, settings })
    }

    /// How many passwords have a turn, and wait for the work to begin.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.load.waiting.load(Ordering::Relaxed)
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

#[async_trait]
impl PasswordHasher for HashingPool {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        if self.load.expected_wait(self.settings.threads) > self.settings.patience {
            return Err(HasherError::Overloaded);
        }
        self.load.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(Turn::new(cancellation, Place(Arc::clone(&self.load))))
    }

    async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, HasherError> {
        let (reply, receiver) = oneshot::channel();
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

    async fn hash(pool: &HashingPool) -> Result<PasswordHash, HasherError> {
        let turn = pool.admit(Cancellation::default())?;
        pool.hash(turn, Password::parse("SecurePass123!").unwrap()).await
    }

    /// Waits until the pool knows what a hash costs, and tells it.
    async fn cost(pool: &HashingPool) -> Duration {
        loop {
            match pool.load.typical.load(Ordering::Relaxed) {
                0 => tokio::time::sleep(Duration::from_millis(1)).await,
                typical => return Duration::from_micros(typical),
            }
        }
    }

    /// How many of 40 who ask at once are hashed, and how many are refused.
    async fn crowd(pool: &HashingPool) -> (usize, usize) {
        let everybody = (0..40).map(|_| hash(pool));
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
        let cost = cost(&pool).await;
        let admit = || pool.admit(Cancellation::default()).ok();
        let mut turns: Vec<_> = std::iter::from_fn(admit).take(10_000).collect();
        let longest = cost * u32::try_from(turns.len()).unwrap();
        assert!(longest > patience && longest <= patience + 2 * cost, "{longest:?}, {cost:?}");
        turns.pop();
        assert!(admit().is_some(), "a turn that was given back is free");
    }

    #[tokio::test]
    async fn do_01_who_waited_too_long_is_refused_without_being_hashed() {
        let pool = pool(8, 10, Duration::ZERO);
        for _ in 0..3 {
            assert!(matches!(hash(&pool).await, Err(HasherError::Overloaded)));
        }
        assert_eq!(pool.load.waiting.load(Ordering::Relaxed), 0);
        assert_eq!(pool.load.hashed.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn do_01_who_left_is_not_hashed_for() {
        let pool = pool(8, 10, PATIENT);
        for _ in 0..3 {
            let cancellation = Cancellation::default();
            let turn = pool.admit(cancellation.clone()).unwrap();
            cancellation.cancel();
            let password = Password::parse("SecurePass123!").unwrap();
            let verified = pool.verify(turn, password, None).await;
            assert!(matches!(verified, Err(HasherError::Cancelled)));
        }
        assert_eq!(pool.load.hashed.load(Ordering::Relaxed), 0);
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
        hash(&pool).await.unwrap();
        let own = rustix::process::getpriority_process(None).unwrap();
        let hashing = niceness_of("(hashing-0");
        assert!(!hashing.is_empty());
        assert!(hashing.contains(&i64::from((own + NICENESS).min(19))), "{hashing:?}");
    }

    /// Passwords of different costs and schemes share a core, and each gets its answer.
    #[tokio::test]
    async fn whoever_shares_a_core_gets_their_own_answer() {
        let pool = pool(5, 1_000, PATIENT);
        let stored = [
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            (
                "pleaseletmein",
                "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
            ),
        ];
        let new = (0..7).map(|number| format!("password number {number}"));
        let hashes = new.map(async |text| {
            let turn = pool.admit(Cancellation::default()).unwrap();
            let hash = pool.hash(turn, Password::parse(&text).unwrap()).await.unwrap();
            (text, hash)
        });
        let mut known = futures_util::future::join_all(hashes).await;
        known.extend(stored.map(|(text, hash)| (text.into(), PasswordHash::new(hash.into()))));
        let everybody = known.iter().flat_map(|(text, _)| {
            let tried =
                known.iter().map(move |(own, hash)| (text == own, text, Some(hash.clone())));
            tried.chain([(false, text, None)])
        });
        let answers = everybody.map(async |(is_right, text, hash)| {
            let turn = pool.admit(Cancellation::default()).unwrap();
            let found = pool.verify(turn, Password::parse(text).unwrap(), hash).await.unwrap();
            assert_eq!(matches!(found, Verification::Match { .. }), is_right, "{text}");
        });
        let count = futures_util::future::join_all(answers).await.len();
        assert_eq!(count, 10 * 11);
        assert_eq!(pool.load.hashed.load(Ordering::Relaxed), 7 + 110);
    }

    /// Nobody waits for whoever came before: a password that costs little is done
    /// while one that costs much goes on.
    #[tokio::test]
    async fn whoever_comes_later_is_taken_along() {
        let pool = pool(14, 10, PATIENT);
        let costly = hash(&pool);
        let cheap = async {
            tokio::task::yield_now().await;
            let turn = pool.admit(Cancellation::default()).unwrap();
            let stored = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
            let stored = PasswordHash::new(stored.to_owned());
            pool.verify(turn, Password::parse("U*U").unwrap(), Some(stored)).await
        };
        tokio::pin!(costly, cheap);
        tokio::select! {
            biased;
            hashed = &mut costly => panic!("one waited for the other: {hashed:?}"),
            found = &mut cheap => assert!(matches!(found, Ok(Verification::Match { .. }))),
        }
        assert!(costly.await.is_ok());
    }

    /// Work that is done all at once does not hold up, one after the other, whoever
    /// has begun.
    #[tokio::test]
    async fn whoever_has_begun_goes_on_between_others() {
        let pool = pool(8, 100, PATIENT);
        let begun = hash(&pool);
        let others = futures_util::future::join_all((0..40).map(async |_| {
            let turn = pool.admit(Cancellation::default()).unwrap();
            let stored =
                "$scrypt$ln=12,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
            let stored = PasswordHash::new(stored.to_owned());
            pool.verify(turn, Password::parse("wrong").unwrap(), Some(stored)).await
        }));
        tokio::pin!(begun, others);
        tokio::select! {
            biased;
            hashed = &mut begun => assert!(hashed.is_ok()),
            _ = &mut others => panic!("it waited for all of the others"),
        }
        assert!(others.await.iter().all(Result::is_ok));
    }
}
