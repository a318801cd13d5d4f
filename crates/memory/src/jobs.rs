//! The queue of jobs.

use async_trait::async_trait;
use portcullis_domain::ports::{JobClaim, JobQueue, Lease, OwedJob, TURNS_AMONG, take_turns};
use portcullis_domain::{Job, JobId, NewJob, StoreError, Timestamp};

use crate::MemoryStore;

/// A job and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct JobEntry {
    owed: OwedJob,
    key: Option<String>,
    settled_at: Option<Timestamp>,
}

impl JobEntry {
    fn is_open(&self) -> bool {
        self.settled_at.is_none() && self.owed.buried_at.is_none()
    }

    /// What takes turns.
    fn kind(&self) -> String {
        match &self.owed.job {
            Ok(job) => job.kind().to_owned(),
            Err(unknown) => unknown.kind.clone(),
        }
    }
}

#[async_trait]
impl JobQueue for MemoryStore {
    async fn enqueue(&self, job: NewJob) -> Result<bool, StoreError> {
        let NewJob { id, job, key, created_at } = job;
        let mut state = self.state().await;
        if key.is_some() && state.jobs.values().any(|entry| entry.key == key) {
            return Ok(false);
        }
        let owed = OwedJob {
            id,
            job: Ok(job),
            created_at,
            attempts: 0,
            due_at: created_at,
            buried_at: None,
            reason: None,
        };
        state.jobs.insert(id, JobEntry { owed, key, settled_at: None });
        Ok(true)
    }

    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<JobClaim>, StoreError> {
        let mut state = self.state().await;
        let mut due: Vec<&JobEntry> = state
            .jobs
            .values()
            .filter(|entry| entry.is_open() && entry.owed.due_at <= now)
            .collect();
        due.sort_by_key(|entry| entry.owed.due_at);
        let due = due.into_iter().map(|entry| (entry.owed.id, entry.kind()));
        let chosen = take_turns(due.take(TURNS_AMONG as usize), lease.limit);
        let claims = chosen.into_iter().filter_map(|id| {
            let owed = &mut state.jobs.get_mut(&id)?.owed;
            owed.attempts += 1;
            owed.due_at = now + lease.duration;
            Some(JobClaim {
                id,
                job: owed.job.clone(),
                created_at: owed.created_at,
                attempt: owed.attempts,
            })
        });
        Ok(claims.collect())
    }

    async fn keep(
        &self,
        id: JobId,
        attempt: u32,
        rest: Job,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        let is_held = |entry: &&mut JobEntry| entry.is_open() && entry.owed.attempts == attempt;
        let Some(entry) = state.jobs.get_mut(&id).filter(is_held) else { return Ok(false) };
        entry.owed.job = Ok(rest);
        entry.owed.due_at = until;
        Ok(true)
    }

    async fn settle(&self, id: JobId, at: Timestamp) -> Result<(), StoreError> {
        self.change_job(id, |entry| entry.settled_at = Some(at)).await
    }

    async fn postpone(
        &self,
        id: JobId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.change_job_held(id, attempt, |entry| {
            entry.owed.due_at = due;
            entry.owed.reason = Some(reason);
        })
        .await
    }

    async fn bury(
        &self,
        id: JobId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.change_job_held(id, attempt, |entry| {
            entry.owed.buried_at = Some(at);
            entry.owed.reason = Some(reason);
        })
        .await
    }

    async fn release(&self, id: JobId, attempt: u32) -> Result<(), StoreError> {
        self.change_job_held(id, attempt, |entry| {
            entry.owed.attempts -= 1;
            entry.owed.due_at = entry.owed.created_at;
        })
        .await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedJob>, StoreError> {
        let state = self.state().await;
        let unsettled = state.jobs.values().filter(|entry| entry.settled_at.is_none());
        let mut listed: Vec<OwedJob> = unsettled
            .map(|entry| entry.owed.clone())
            .filter(|owed| owed.buried_at.is_some() == buried)
            .collect();
        listed.sort_by_key(|owed| owed.created_at);
        listed.truncate(limit as usize);
        Ok(listed)
    }

    async fn revive(&self, id: JobId, at: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        let found = state.jobs.get_mut(&id).filter(|entry| entry.owed.buried_at.is_some());
        let Some(entry) = found else { return Ok(false) };
        entry.owed.buried_at = None;
        entry.owed.due_at = at;
        Ok(true)
    }

    async fn remove_settled(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut state = self.state().await;
        let is_old = |entry: &JobEntry| entry.settled_at.is_some_and(|at| at < before);
        let old: Vec<JobId> = state
            .jobs
            .iter()
            .filter(|(_, entry)| is_old(entry))
            .map(|(id, _)| *id)
            .take(limit as usize)
            .collect();
        for id in &old {
            state.jobs.remove(id);
        }
        Ok(old.len() as u64)
    }
}

impl MemoryStore {
    /// Changes it while that attempt holds it.
    async fn change_job_held(
        &self,
        id: JobId,
        attempt: u32,
        change: impl FnOnce(&mut JobEntry) + Send,
    ) -> Result<(), StoreError> {
        self.change_job(id, |entry| {
            if entry.owed.attempts == attempt {
                change(entry);
            }
        })
        .await
    }

    async fn change_job(
        &self,
        id: JobId,
        change: impl FnOnce(&mut JobEntry) + Send,
    ) -> Result<(), StoreError> {
        if let Some(entry) = self.state().await.jobs.get_mut(&id) {
            change(entry);
        }
        Ok(())
    }
}
