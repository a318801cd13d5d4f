//! Carrying out what the queue of jobs holds, job by job.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Cancellation, JobClaim, Lease};
use portcullis_domain::{DemoUsers, Job, NewJob};

use crate::backoff::Backoff;
use crate::{App, Failure, Seeding};

/// How long a claimed job is nobody else's; each of its steps begins the lease
/// anew. A killed worker's jobs are taken over after this; longer than a step
/// takes, a statement of [`ACCOUNTS_AT_ONCE`](crate::ACCOUNTS_AT_ONCE) rows.
const LEASE: Duration = Duration::from_mins(1);
/// How long one attempt may take. What is not done by then goes on later, behind
/// others that wait.
pub const JOB_LIMIT: Duration = Duration::from_mins(5);
/// Nobody waits for a job, so the waits may grow longer than those of mails.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_mins(5) };
/// How long a job is worth trying.
const WORTH_TRYING: Duration = Duration::from_hours(24);

/// What became of a claimed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// Done.
    Done,
    /// There was nothing to do.
    Dropped,
    /// To be tried again.
    Postponed,
    /// Given up.
    Buried,
    /// Given back, as far as it has come, since the worker stops.
    Released,
    /// Somebody else has it: this worker was too slow.
    Lost,
}

/// An attempt took longer than [`JOB_LIMIT`].
#[derive(Debug, thiserror::Error)]
#[error("it took longer than {} s", JOB_LIMIT.as_secs())]
struct Overrun;

impl App {
    /// Queues a job, unless one with its key is there already; says whether it did.
    ///
    /// # Errors
    /// [`Failure`] when the store is away.
    pub async fn enqueue_job(&self, job: Job, key: Option<String>) -> Result<bool, Failure> {
        let new = NewJob { id: self.ports.ids.job(), job, key, created_at: self.now() };
        Ok(self.ports.jobs.enqueue(new).await?)
    }

    /// Claims up to `limit` jobs that are due; each is to be handed to
    /// [`App::carry_out`].
    ///
    /// # Errors
    /// [`Failure`] when the store is away.
    pub async fn claim_due_jobs(&self, limit: u32) -> Result<Vec<JobClaim>, Failure> {
        let lease = Lease { duration: LEASE, limit };
        Ok(self.ports.jobs.claim(self.now(), lease).await?)
    }

    /// Carries out a claimed job, at least once: it is settled when it is done. Once
    /// `stop` is cancelled, it is given back at the next step.
    ///
    /// # Errors
    /// [`Failure`] when the store is away; the job comes free by itself.
    pub async fn carry_out(
        &self,
        claim: &JobClaim,
        stop: &Cancellation,
    ) -> Result<JobOutcome, Failure> {
        if stop.is_cancelled() {
            return self.give_back(claim).await;
        }
        let done = match &claim.job {
            Err(unknown) => return self.put_off_job(claim, unknown).await,
            Ok(Job::SignInNotice { user, session }) => {
                self.send_sign_in_notice(claim, *user, *session).await
            }
            Ok(Job::SeedUsers(users)) => self.seed_users(claim, users, stop).await,
        };
        match done {
            // What is wrong with one job holds up no other.
            Err(failure @ (Failure::Internal(_) | Failure::Overloaded(_))) => {
                self.put_off_job(claim, &failure).await
            }
            done => done,
        }
    }

    /// Puts off a job whose attempt was ended after [`JOB_LIMIT`]; it goes on from
    /// the last step that was done.
    ///
    /// # Errors
    /// [`Failure`] when the store is away; the job comes free by itself.
    pub async fn put_off_overrun(&self, claim: &JobClaim) -> Result<JobOutcome, Failure> {
        self.put_off_job(claim, &Overrun).await
    }

    /// Adds demo users step by step, and notes after each what is left.
    async fn seed_users(
        &self,
        claim: &JobClaim,
        users: &DemoUsers,
        stop: &Cancellation,
    ) -> Result<JobOutcome, Failure> {
        let ports = &self.ports;
        let mut seeding = Seeding::new(
            Arc::clone(&ports.archive),
            Arc::clone(&ports.clock),
            Arc::clone(&ports.ids),
        );
        let mut left = users.clone();
        loop {
            let (_, rest) = seeding.batch(&left).await?;
            let Some(rest) = rest else {
                return self.settle_job(claim, JobOutcome::Done).await;
            };
            let (job, until) = (Job::SeedUsers(rest.clone()), self.now() + LEASE);
            if !ports.jobs.keep(claim.id, claim.attempt, job, until).await? {
                return Ok(JobOutcome::Lost);
            }
            if stop.is_cancelled() {
                return self.give_back(claim).await;
            }
            left = rest;
        }
    }

    pub(crate) async fn settle_job(
        &self,
        claim: &JobClaim,
        outcome: JobOutcome,
    ) -> Result<JobOutcome, Failure> {
        self.ports.jobs.settle(claim.id, self.now()).await?;
        Ok(outcome)
    }

    async fn give_back(&self, claim: &JobClaim) -> Result<JobOutcome, Failure> {
        self.ports.jobs.release(claim.id, claim.attempt).await?;
        Ok(JobOutcome::Released)
    }

    /// Tries again later, as long as that is worth it.
    pub(crate) async fn put_off_job(
        &self,
        claim: &JobClaim,
        error: &(dyn Error + Sync),
    ) -> Result<JobOutcome, Failure> {
        let (now, reason) = (self.now(), with_causes(error));
        if now.since(claim.created_at) >= WORTH_TRYING {
            self.ports.jobs.bury(claim.id, claim.attempt, now, reason).await?;
            return Ok(JobOutcome::Buried);
        }
        let due = now + BACKOFF.after(claim.attempt, claim.id.as_uuid());
        self.ports.jobs.postpone(claim.id, claim.attempt, due, reason).await?;
        Ok(JobOutcome::Postponed)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::notice;
    use portcullis_domain::ports::{JobQueue, MockAccountsArchive};
    use portcullis_domain::{PasswordHash, StoreError, UnknownJob};

    use super::*;
    use crate::MoveOut;
    use crate::stage::Stage;

    fn demo_users(count: u32) -> Job {
        let password_hash = PasswordHash::new("0:secret".into());
        Job::SeedUsers(DemoUsers { first: 1, count, password_hash })
    }

    async fn claimed(stage: &Stage, job: Job) -> JobClaim {
        assert!(stage.app.enqueue_job(job, None).await.unwrap());
        stage.app.claim_due_jobs(1).await.unwrap().remove(0)
    }

    async fn carried_out(stage: &Stage, claim: &JobClaim) -> JobOutcome {
        stage.app.carry_out(claim, &Cancellation::default()).await.unwrap()
    }

    async fn count(stage: &Stage) -> usize {
        let mut everybody = MoveOut::new(Arc::new(stage.store.clone()));
        let mut count = 0;
        loop {
            match everybody.next().await.unwrap().len() {
                0 => return count,
                more => count += more,
            }
        }
    }

    /// An archive that is of no use.
    fn with_archive_failing(mut stage: Stage, error: fn() -> StoreError) -> Stage {
        let mut archive = MockAccountsArchive::new();
        archive.expect_import().returning(move |_| Err(error()));
        stage.app.ports.archive = Arc::new(archive);
        stage
    }

    #[tokio::test]
    async fn a_job_that_is_done_is_never_done_again() {
        let stage = Stage::new();
        let claim = claimed(&stage, demo_users(2_500)).await;
        assert_eq!(carried_out(&stage, &claim).await, JobOutcome::Done);
        assert_eq!(count(&stage).await, 2_500);
        stage.clock.advance(WORTH_TRYING);
        assert_eq!(stage.app.claim_due_jobs(10).await.unwrap(), []);
    }

    #[tokio::test]
    async fn nobody_has_a_device_that_could_be_notified() {
        let stage = Stage::new();
        let claim = claimed(&stage, notice()).await;
        assert_eq!(carried_out(&stage, &claim).await, JobOutcome::Dropped);
        assert_eq!(stage.store.list(false, 10).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_job_is_queued_once_under_its_key() {
        let stage = Stage::new();
        let enqueue = async || stage.app.enqueue_job(notice(), Some("k".into())).await.unwrap();
        assert!(enqueue().await);
        assert!(!enqueue().await);
    }

    #[tokio::test]
    async fn a_job_that_was_cut_off_goes_on_where_it_was() {
        let stage = Stage::new();
        let claim = claimed(&stage, demo_users(2_500)).await;
        let stop = Cancellation::default();
        // As if it had been told to stop during its first step.
        let Ok(Job::SeedUsers(users)) = &claim.job else { panic!("{claim:?}") };
        stop.cancel();
        let outcome = stage.app.seed_users(&claim, users, &stop).await.unwrap();
        assert_eq!(outcome, JobOutcome::Released);
        assert_eq!(count(&stage).await, 1_000);
        let again = stage.app.claim_due_jobs(1).await.unwrap().remove(0);
        assert_eq!(again.attempt, 1, "being stopped is no attempt");
        let Ok(Job::SeedUsers(rest)) = &again.job else { panic!("{again:?}") };
        assert_eq!((rest.first, rest.count), (1_001, 1_500));
        assert_eq!(carried_out(&stage, &again).await, JobOutcome::Done);
        assert_eq!(count(&stage).await, 2_500);
    }

    #[tokio::test]
    async fn whoever_stops_begins_nothing() {
        let stage = Stage::new();
        let claim = claimed(&stage, demo_users(10)).await;
        let stop = Cancellation::default();
        stop.cancel();
        assert_eq!(stage.app.carry_out(&claim, &stop).await.unwrap(), JobOutcome::Released);
        assert_eq!(count(&stage).await, 0);
    }

    #[tokio::test]
    async fn a_worker_that_was_too_slow_leaves_the_job_to_whoever_has_it() {
        let stage = Stage::new();
        let slow = claimed(&stage, demo_users(2_500)).await;
        stage.clock.advance(LEASE);
        let other = stage.app.claim_due_jobs(1).await.unwrap().remove(0);
        assert_eq!(carried_out(&stage, &slow).await, JobOutcome::Lost);
        assert_eq!(count(&stage).await, 1_000, "it went on");
        assert_eq!(carried_out(&stage, &other).await, JobOutcome::Done);
        assert_eq!(count(&stage).await, 2_500, "somebody came twice");
    }

    #[tokio::test]
    async fn a_failure_puts_a_job_off_longer_each_time_until_it_is_given_up() {
        let stage = with_archive_failing(Stage::new(), || StoreError::Other("a defect".into()));
        stage.app.enqueue_job(demo_users(1), None).await.unwrap();
        let mut rounds = 0;
        loop {
            let due = stage.app.claim_due_jobs(1).await.unwrap();
            assert_eq!(due.len(), 1, "after {rounds} rounds");
            let outcome = carried_out(&stage, &due[0]).await;
            assert_eq!(stage.app.claim_due_jobs(1).await.unwrap(), [], "it does not wait");
            rounds += 1;
            if outcome == JobOutcome::Buried {
                break;
            }
            assert_eq!(outcome, JobOutcome::Postponed);
            assert!(rounds < 1_000, "it is tried for ever");
            stage.clock.advance(BACKOFF.longest * 2);
        }
        assert!(rounds > 100, "it was given up after {rounds} rounds");
        let buried = stage.store.list(true, 10).await.unwrap();
        let reason = "an internal error: the store refused a statement: a defect";
        assert_eq!(buried[0].reason.as_deref(), Some(reason));
    }

    #[tokio::test]
    async fn while_the_store_is_away_a_job_is_nobodys_fault_and_comes_free() {
        let stage = with_archive_failing(Stage::new(), || StoreError::Unavailable("gone".into()));
        let claim = claimed(&stage, demo_users(1)).await;
        let failure = stage.app.carry_out(&claim, &Cancellation::default()).await.unwrap_err();
        assert!(matches!(failure, Failure::Unavailable(_)), "{failure:?}");
        stage.clock.advance(LEASE);
        assert_eq!(stage.app.claim_due_jobs(1).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_job_of_a_newer_version_waits_for_that_version() {
        let stage = Stage::new();
        let claim = claimed(&stage, notice()).await;
        let unknown = UnknownJob { kind: "make_coffee".into() };
        let newer = JobClaim { job: Err(unknown), ..claim };
        assert_eq!(carried_out(&stage, &newer).await, JobOutcome::Postponed);
        let waiting = stage.store.list(false, 10).await.unwrap();
        assert!(waiting[0].reason.as_ref().unwrap().contains("make_coffee"), "{waiting:?}");
    }

    #[tokio::test]
    async fn an_attempt_that_took_too_long_is_told_and_put_off() {
        let stage = Stage::new();
        let claim = claimed(&stage, notice()).await;
        let outcome = stage.app.put_off_overrun(&claim).await.unwrap();
        assert_eq!(outcome, JobOutcome::Postponed);
        let waiting = stage.store.list(false, 10).await.unwrap();
        assert_eq!(waiting[0].reason.as_deref(), Some("it took longer than 300 s"));
    }
}
