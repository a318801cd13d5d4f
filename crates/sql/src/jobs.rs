//! The queue of jobs, in single steps.

use async_trait::async_trait;
use portcullis_domain::ports::{JobClaim, JobQueue, Lease as ClaimLease, OwedJob};
use portcullis_domain::{Job, JobId, NewJob, StoreError, Timestamp};

use crate::SqlStore;
use crate::queries::jobs;

#[async_trait]
impl JobQueue for SqlStore {
    async fn enqueue(&self, job: NewJob) -> Result<bool, StoreError> {
        jobs::enqueue(&mut self.writers.lease().await?, job).await
    }

    async fn claim(&self, now: Timestamp, claim: ClaimLease) -> Result<Vec<JobClaim>, StoreError> {
        // A look without any lock first: usually nothing is due.
        if !jobs::is_any_due(&mut self.readers.lease().await?, now).await? {
            return Ok(Vec::new());
        }
        let mut unit = self.unit().await?;
        let claims = jobs::claim(&mut unit.lease, now, claim).await?;
        unit.lease.commit().await?;
        Ok(claims)
    }

    async fn keep(
        &self,
        id: JobId,
        attempt: u32,
        rest: Job,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        jobs::keep(&mut self.writers.lease().await?, id, attempt, &rest, until).await
    }

    async fn settle(&self, id: JobId, at: Timestamp) -> Result<(), StoreError> {
        jobs::settle(&mut self.writers.lease().await?, id, at).await
    }

    async fn postpone(
        &self,
        id: JobId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        jobs::postpone(&mut self.writers.lease().await?, id, attempt.into(), due, &reason).await
    }

    async fn bury(
        &self,
        id: JobId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        jobs::bury(&mut self.writers.lease().await?, id, attempt.into(), at, &reason).await
    }

    async fn release(&self, id: JobId, attempt: u32) -> Result<(), StoreError> {
        jobs::release(&mut self.writers.lease().await?, id, attempt.into()).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedJob>, StoreError> {
        jobs::list(&mut self.readers.lease().await?, buried, limit).await
    }

    async fn revive(&self, id: JobId, at: Timestamp) -> Result<bool, StoreError> {
        jobs::revive(&mut self.writers.lease().await?, id, at).await
    }

    async fn remove_settled(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut lease = self.writers.lease().await?;
        lease.take_time();
        jobs::remove_settled(&mut lease, before, limit).await
    }
}
