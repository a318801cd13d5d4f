//! Instances behind nginx, under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_testkit::{Nginx, Postgres, Redis};
use tokio::task::JoinHandle;

use crate::keep_alive::{Asked, Caller, MANY_LOGINS, VISITOR};
use crate::{LoggedIn, Server, at_once};

const EXAMPLE: &str = include_str!("../../deploy/nginx.conf");
const CALLERS: usize = 12;
/// How long nginx leaves out whoever refused it: one second, in whole seconds.
pub const LEFT_OUT: Duration = Duration::from_millis(2_200);

/// Two instances on one Postgres and one Redis behind nginx, as `deploy` has it.
#[derive(Debug)]
pub struct Deployment {
    /// The instances, which may be replaced.
    pub instances: [Server; 2],
    /// The address of their database.
    pub database: String,
    /// Somebody with a session that has to outlive everything.
    pub john: LoggedIn,
    nginx: Nginx,
    _redis: Redis,
}

impl Deployment {
    /// Starts both, and signs up whom the callers log in as.
    pub async fn start() -> Self {
        Self::start_by(&[]).await
    }

    /// The same, by a launcher: see [`Server::start_by`].
    pub async fn start_by(launcher: &[&str]) -> Self {
        let (database, redis) = (Postgres::shared().empty_database(), Redis::start());
        let url = redis.url();
        let settings = [
            ("DATABASE_URL", database.as_str()),
            ("REDIS_URL", &url),
            ("SECRET_KEY", "canary-secret-that-all-instances-share"),
            ("PUBLIC_URL", "https://auth.example.com"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
            ("BCRYPT_ROUNDS", "10"),
            // Nobody is sent away because the machine is shared.
            ("HASHING_PATIENCE", "1m"),
            MANY_LOGINS[0],
            MANY_LOGINS[1],
        ];
        let start = || Server::start_by(launcher, &settings);
        let (one, two) = tokio::join!(start(), start());
        let configuration = EXAMPLE
            .replace("portcullis-1:8000", &format!("127.0.0.1:{}", one.port()))
            .replace("portcullis-2:8000", &format!("127.0.0.1:{}", two.port()))
            .replace("listen 8080;", "listen 127.0.0.1:{port};")
            .replace("/tmp/", "{folder}/")
            .replace("/dev/stderr", "{folder}/error.log")
            .replace("/dev/stdout", "{folder}/access.log");
        let nginx = Nginx::start(&configuration);
        let john = one.signed_up("johndoe", "john@example.com").await;
        one.signed_up(VISITOR, "visitor@example.com").await;
        Self { instances: [one, two], database, john, nginx, _redis: redis }
    }

    /// Callers that ask through nginx until they are told to stop.
    #[must_use]
    pub fn load(&self) -> Load {
        let (url, john, stop) = (self.nginx.url(), self.john.clone(), Arc::<AtomicBool>::default());
        let stopped = Arc::clone(&stop);
        let callers = tokio::spawn(at_once(CALLERS, move |number| {
            let stopped = Arc::clone(&stopped);
            Caller::new(&url, &john, number).until(move || stopped.load(Ordering::Relaxed))
        }));
        Load { stop, callers }
    }
}

/// Callers at work.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinHandle<Vec<Asked>>,
}

impl Load {
    /// Lets the callers stop, insists that nothing failed; returns how many were
    /// answered, and the slowest.
    pub async fn never_failed(self) -> (usize, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let asked = self.callers.await.unwrap();
        let failed: Vec<_> = asked.iter().flat_map(|one| &one.failed).collect();
        assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
        let slowest = asked.iter().map(|one| one.slowest).max().unwrap();
        (asked.iter().map(|one| one.answered).sum(), slowest)
    }
}
