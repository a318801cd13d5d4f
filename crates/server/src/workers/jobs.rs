//! Background jobs, and those that are ordered by the clock.

use std::sync::Arc;
use std::time::Duration;

use portcullis_app::{App, Failure, JOB_LIMIT, JobOutcome};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Cancellation, JobClaim};
use portcullis_domain::{DemoUsers, Job, PasswordHash};
use portcullis_metrics::{self as metrics, JobKind, Metrics};
use tokio::sync::watch;
use tracing::{debug, error, warn};

use super::{Queue, rest, told_to_stop};

/// How often demo users are ordered (`SEEDING_USER_COUNT`).
const SEEDING_PAUSE: i64 = 10;

/// The queue of jobs.
#[derive(Clone)]
pub(super) struct Jobs {
    pub(super) app: App,
    pub(super) metrics: Arc<Metrics>,
}

fn labels(job: &JobClaim, seen_to: &Result<JobOutcome, Failure>) -> (JobKind, metrics::JobOutcome) {
    let kind = match &job.job {
        Ok(Job::SignInNotice { .. }) => JobKind::SignInNotice,
        Ok(Job::SeedUsers(_)) => JobKind::SeedUsers,
        Err(_) => JobKind::Unknown,
    };
    let outcome = match seen_to {
        Ok(JobOutcome::Done) => metrics::JobOutcome::Done,
        Ok(JobOutcome::Dropped) => metrics::JobOutcome::Dropped,
        Ok(JobOutcome::Postponed) => metrics::JobOutcome::Postponed,
        Ok(JobOutcome::Buried) => metrics::JobOutcome::Buried,
        Ok(JobOutcome::Released) => metrics::JobOutcome::Released,
        Ok(JobOutcome::Lost) => metrics::JobOutcome::Lost,
        Err(_) => metrics::JobOutcome::Failed,
    };
    (kind, outcome)
}

impl Queue for Jobs {
    type Claim = JobClaim;

    const NAME: &'static str = "the queue of jobs";
    /// Few, so that instances share them.
    const WIDTH: usize = 4;
    /// Nobody waits for a job.
    const PAUSE: Duration = Duration::from_secs(1);

    async fn claim(&self, limit: u32) -> Result<Vec<JobClaim>, Failure> {
        self.app.claim_due_jobs(limit).await
    }

    /// Ends the job when it takes too long. Told to stop, it stops at the job's next
    /// step.
    async fn see_to(self, claim: JobClaim, mut stopping: watch::Receiver<bool>) {
        let (app, stop) = (self.app, Cancellation::default());
        if *stopping.borrow() {
            stop.cancel();
        }
        let attempt = tokio::time::timeout(JOB_LIMIT, app.carry_out(&claim, &stop));
        tokio::pin!(attempt);
        let ended = tokio::select! {
            ended = &mut attempt => ended,
            () = told_to_stop(&mut stopping) => {
                stop.cancel();
                attempt.await
            }
        };
        let seen_to = match ended {
            Ok(seen_to) => seen_to,
            Err(_) => app.put_off_overrun(&claim).await,
        };
        self.metrics.jobs.count(labels(&claim, &seen_to));
        match seen_to {
            Ok(JobOutcome::Buried) => warn!("a job was given up; see `portcullis jobs list`"),
            Ok(outcome) => debug!(job = %claim.id, ?outcome, "a job was seen to"),
            Err(failure) => error!(cause = with_causes(&failure), "a job could not be seen to"),
        }
    }
}

/// Orders so many demo users for every stretch of time. All instances do; the key
/// of a stretch lets one of them have its way.
pub(super) async fn order_demo_users(app: App, count: u32, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        let now = app.now();
        let stretch = now.as_seconds().div_euclid(SEEDING_PAUSE);
        let key = format!("demo users of {stretch}");
        let job = Job::SeedUsers(demo_users_of(stretch, count));
        match app.enqueue_job(job, Some(key)).await {
            Ok(is_ours) => debug!(is_ours, count, "demo users were ordered"),
            Err(failure) => error!(cause = with_causes(&failure), "demo users were not ordered"),
        }
        let next = portcullis_domain::Timestamp::from_seconds((stretch + 1) * SEEDING_PAUSE);
        rest(next.since(now), &mut stopping).await;
    }
}

/// Numbers follow from the time, so that nobody has to remember the last one; they
/// are far from those that begin with 1. Nobody is told a password that they could
/// share, so they have none.
fn demo_users_of(stretch: i64, count: u32) -> DemoUsers {
    let first = stretch.unsigned_abs() * u64::from(count);
    DemoUsers { first, count, password_hash: PasswordHash::none() }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use portcullis_app::{Ports, Rules, Services};
    use portcullis_conformance::build::{START, notice};
    use portcullis_conformance::fakes::{
        Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
    };
    use portcullis_domain::ports::{AccountsArchive, JobQueue};
    use portcullis_domain::{ImportOutcome, ImportedUser, StoreError, User, UserNumber};
    use portcullis_memory::MemoryStore;

    use super::*;

    /// An archive that never answers.
    struct Silent;

    #[async_trait]
    impl AccountsArchive for Silent {
        async fn import(&self, _: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError> {
            std::future::pending().await
        }

        async fn compare(
            &self,
            _: Vec<ImportedUser>,
        ) -> Result<Vec<Option<ImportOutcome>>, StoreError> {
            std::future::pending().await
        }

        async fn export(&self, _: UserNumber, _: u32) -> Result<Vec<User>, StoreError> {
            std::future::pending().await
        }
    }

    fn queue(app: &App) -> Jobs {
        Jobs { app: app.clone(), metrics: Arc::new(Metrics::off()) }
    }

    fn app(store: &MemoryStore, archive: Arc<dyn AccountsArchive>) -> App {
        let counting = Arc::new(Counting::default());
        let ports = Ports {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            archive,
            devices: Arc::new(store.clone()),
            avatars: Arc::new(store.clone()),
            entitlements: Arc::new(store.clone()),
            services: Services::default(),
            hasher: Arc::new(PlainHasher::default()),
            access_tokens: Arc::new(PlainTokens),
            opaque_tokens: Arc::new(PlainTokens),
            mailer: Arc::new(ScriptedMailer::default()),
            clock: Arc::new(ManualClock::at(START)),
            ids: counting.clone(),
            randomness: counting,
            auxiliaries: Vec::new(),
        };
        App::new(ports, Rules::default())
    }

    async fn claimed(app: &App, job: Job) -> JobClaim {
        assert!(app.enqueue_job(job, None).await.unwrap());
        app.claim_due_jobs(1).await.unwrap().remove(0)
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_takes_too_long_is_ended_and_put_off() {
        let store = MemoryStore::new();
        let app = app(&store, Arc::new(Silent));
        let claim = claimed(&app, Job::SeedUsers(demo_users_of(1, 1))).await;
        let (_stop, stopping) = watch::channel(false);
        let started = tokio::time::Instant::now();
        queue(&app).see_to(claim, stopping).await;
        assert_eq!(started.elapsed().as_secs(), JOB_LIMIT.as_secs());
        let waiting = JobQueue::list(&store, false, 10).await.unwrap();
        assert_eq!(waiting[0].reason.as_deref(), Some("it took longer than 300 s"));
    }

    #[tokio::test]
    async fn whoever_was_told_to_stop_gives_back_what_was_claimed() {
        let store = MemoryStore::new();
        let app = app(&store, Arc::new(store.clone()));
        let claim = claimed(&app, notice()).await;
        let (_stop, stopping) = watch::channel(true);
        queue(&app).see_to(claim, stopping).await;
        assert_eq!(app.claim_due_jobs(1).await.unwrap()[0].attempt, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_during_a_job_ends_it_at_its_next_step() {
        let store = MemoryStore::new();
        let app = app(&store, Arc::new(store.clone()));
        let claim = claimed(&app, Job::SeedUsers(demo_users_of(1, 5_000))).await;
        // Holds the store, so that the job is under way when the stop comes.
        let unit = portcullis_domain::ports::Store::begin(&store).await.unwrap();
        let (stop, stopping) = watch::channel(false);
        let working = tokio::spawn(queue(&app).see_to(claim, stopping));
        tokio::time::sleep(Duration::from_millis(10)).await;
        stop.send_replace(true);
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(unit);
        working.await.unwrap();
        let left = app.claim_due_jobs(1).await.unwrap().remove(0);
        let Ok(Job::SeedUsers(users)) = left.job else { panic!("{left:?}") };
        assert_eq!((users.count, left.attempt), (4_000, 1));
    }

    #[tokio::test]
    async fn of_several_instances_one_orders_the_demo_users_of_a_stretch() {
        let store = MemoryStore::new();
        let (stop, stopping) = watch::channel(false);
        let mut instances = Vec::new();
        for _ in 0..3 {
            let app = app(&store, Arc::new(store.clone()));
            instances.push(tokio::spawn(order_demo_users(app, 7, stopping.clone())));
        }
        while JobQueue::list(&store, false, 10).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.send_replace(true);
        for instance in instances {
            instance.await.unwrap();
        }
        let ordered = JobQueue::list(&store, false, 10).await.unwrap();
        assert_eq!(ordered.len(), 1);
        let stretch = START.as_seconds() / SEEDING_PAUSE;
        assert_eq!(ordered[0].job, Ok(Job::SeedUsers(demo_users_of(stretch, 7))));
    }

    #[test]
    fn one_stretch_ends_where_the_next_begins() {
        let (this, next) = (demo_users_of(5, 7), demo_users_of(6, 7));
        assert_eq!(this.numbers().last().unwrap() + 1, next.first);
    }
}
