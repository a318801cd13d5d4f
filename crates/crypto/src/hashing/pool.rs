//! A bounded number of threads with a bounded queue.
//!
//! Hashing takes a good part of a second of a core. On the threads that serve
//! requests it would stall everybody; on threads without bound a login storm
//! would take the machine. Past the queue's limit the answer is "later", at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use portcullis_domain::ports::{HasherError, PasswordHasher, Verification};
use portcullis_domain::{Password, PasswordHash};
use tokio::sync::oneshot;

use super::HashingScheme;

/// How large the pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Threads that hash: as many as there are cores, since each keeps one busy.
    pub threads: usize,
    /// Passwords that may wait for one.
    pub queue: usize,
}

/// Hashes passwords on threads of its own.
pub struct HashingPool {
    queue: SyncSender<Job>,
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
        let (queue, jobs) = sync_channel(settings.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..settings.threads.max(1) {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("hashing-{number}"))
                .spawn(move || work(scheme, &jobs))?;
        }
        Ok(Self { queue })
    }

    async fn submit<T>(
        &self,
        job: Job,
        reply: oneshot::Receiver<Result<T, HasherError>>,
    ) -> Result<T, HasherError> {
        match self.queue.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(HasherError::Overloaded),
            Err(TrySendError::Disconnected(_)) => {
                return Err(HasherError::Failed("the hashing threads are gone".into()));
            }
        }
        reply.await.unwrap_or_else(|_| Err(HasherError::Failed("a hashing thread failed".into())))
    }
}

fn work(scheme: HashingScheme, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting, not while hashing.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic loses this job, whose reply is then dropped, and not the thread.
        let _ = catch_unwind(AssertUnwindSafe(|| job.run(scheme)));
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
            Self::Verify { password, hash, reply } => {
                drop(reply.send(Ok(scheme.verify(&password, hash.as_ref()))));
                true
            }
        }
    }
}

#[async_trait]
impl PasswordHasher for HashingPool {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError> {
        let (reply, receiver) = oneshot::channel();
        self.submit(Job::Hash { password, reply }, receiver).await
    }

    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        let (reply, receiver) = oneshot::channel();
        self.submit(Job::Verify { password, hash, reply }, receiver).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn past_the_queue_the_answer_is_later_and_at_once() {
        let scheme = HashingScheme::BcryptSha256 { cost: 8 };
        let pool = HashingPool::start(scheme, PoolSettings { threads: 1, queue: 2 }).unwrap();
        let pool = Arc::new(pool);
        let password = Password::parse("SecurePass123!").unwrap();
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (pool, password) = (Arc::clone(&pool), password.clone());
                tokio::spawn(async move { pool.hash(password).await })
            })
            .collect();
        let (mut hashed, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => hashed += 1,
                Err(HasherError::Overloaded) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(hashed >= 2 && refused >= 10, "{hashed} hashed, {refused} refused");
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
