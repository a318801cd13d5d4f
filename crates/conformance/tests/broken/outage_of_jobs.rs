//! The queue of jobs of a store that can be taken away.

use async_trait::async_trait;
use portcullis_domain::ports::{JobClaim, JobQueue, Lease, OwedJob};
use portcullis_domain::{Job, JobId, NewJob, StoreError, Timestamp};

use super::outage::Far;

#[async_trait]
impl JobQueue for Far {
    async fn enqueue(&self, job: NewJob) -> Result<bool, StoreError> {
        self.reach(async |store| store.enqueue(job).await, false).await
    }

    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<JobClaim>, StoreError> {
        self.reach(async |store| store.claim(now, lease).await, Vec::new()).await
    }

    async fn keep(
        &self,
        id: JobId,
        attempt: u32,
        rest: Job,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.reach(async |store| store.keep(id, attempt, rest, until).await, false).await
    }

    async fn settle(&self, id: JobId, at: Timestamp) -> Result<(), StoreError> {
        self.reach(async |store| store.settle(id, at).await, ()).await
    }

    async fn postpone(
        &self,
        id: JobId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.reach(async |store| store.postpone(id, attempt, due, reason).await, ()).await
    }

    async fn bury(
        &self,
        id: JobId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.reach(async |store| store.bury(id, attempt, at, reason).await, ()).await
    }

    async fn release(&self, id: JobId, attempt: u32) -> Result<(), StoreError> {
        self.reach(async |store| store.release(id, attempt).await, ()).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedJob>, StoreError> {
        self.reach(async |store| store.list(buried, limit).await, Vec::new()).await
    }

    async fn revive(&self, id: JobId, at: Timestamp) -> Result<bool, StoreError> {
        self.reach(async |store| store.revive(id, at).await, false).await
    }

    async fn remove_settled(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.reach(async |store| store.remove_settled(before, limit).await, 0).await
    }
}
