//! The queue of background jobs.

use async_trait::async_trait;

use crate::ports::Lease;
use crate::{Job, JobId, NewJob, StoreError, Timestamp, UnknownJob};

/// A job that a worker holds until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobClaim {
    /// Its name.
    pub id: JobId,
    /// What is to be done, unless this version does not know it.
    pub job: Result<Job, UnknownJob>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A job that is not done, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedJob {
    /// Its name.
    pub id: JobId,
    /// What is to be done, unless this version does not know it.
    pub job: Result<Job, UnknownJob>,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is due, or its claim ends.
    pub due_at: Timestamp,
    /// When it was given up.
    pub buried_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// Background jobs, in single steps.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Adds a job, due at once; says whether it did, or a job with its key is
    /// there already, done or not.
    async fn enqueue(&self, job: NewJob) -> Result<bool, StoreError>;

    /// Claims jobs that are due at `now`, as [`take_turns`](super::take_turns)
    /// chooses them among their kinds. A job is held by one claim at a time; one
    /// whose lease ended is due again.
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<JobClaim>, StoreError>;

    /// Notes what is left of a job, and holds it until `until`. Says whether it
    /// is still held by that attempt: if not, somebody else has it, or it is done.
    async fn keep(
        &self,
        id: JobId,
        attempt: u32,
        rest: Job,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The job is done, or there is nothing to be done, whoever holds it.
    async fn settle(&self, id: JobId, at: Timestamp) -> Result<(), StoreError>;

    /// The job is to be tried again at `due`, because of `reason`. Like the next two
    /// steps, this changes nothing once another attempt holds it.
    async fn postpone(
        &self,
        id: JobId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError>;

    /// The job will never be done, because of `reason`; it is kept for an operator.
    async fn bury(
        &self,
        id: JobId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError>;

    /// The claim is given back unfinished, due at once; it does not count as an
    /// attempt.
    async fn release(&self, id: JobId, attempt: u32) -> Result<(), StoreError>;

    /// Jobs that were given up, or the ones that are still to be done. Oldest
    /// first, at most `limit`.
    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedJob>, StoreError>;

    /// A job that was given up is due again at `at`; says whether there is one.
    async fn revive(&self, id: JobId, at: Timestamp) -> Result<bool, StoreError>;

    /// Removes up to `limit` jobs that were settled before `before`, which frees
    /// their keys; says how many. Buried ones stay.
    async fn remove_settled(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
