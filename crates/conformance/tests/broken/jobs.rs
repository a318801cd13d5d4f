//! A queue of jobs with a defect.

use async_trait::async_trait;
use portcullis_conformance::build::notice;
use portcullis_domain::ports::{JobClaim, JobQueue, Lease, OwedJob};
use portcullis_domain::{Job, JobId, NewJob, StoreError, Timestamp};

use super::{Broken, Defect};

#[async_trait]
impl JobQueue for Broken {
    async fn enqueue(&self, job: NewJob) -> Result<bool, StoreError> {
        let key = job.key.clone().filter(|_| !self.has(Defect::IgnoreKeys));
        self.inner.enqueue(NewJob { key, ..job }).await
    }

    async fn claim(&self, now: Timestamp, mut lease: Lease) -> Result<Vec<JobClaim>, StoreError> {
        if self.has(Defect::IgnoreLeases) {
            lease.duration = std::time::Duration::ZERO;
        }
        if self.has(Defect::ClaimTooMuch) {
            lease.limit += 1;
        }
        if self.has(Defect::IgnoreTurns) {
            let lease_of_all = Lease { limit: u32::MAX, ..lease };
            let mut all = self.inner.claim(now, lease_of_all).await?;
            all.sort_by_key(|claim| claim.created_at);
            for late in all.split_off(all.len().min(lease.limit as usize)) {
                self.inner.release(late.id, late.attempt).await?;
            }
            return Ok(all);
        }
        let mut claims = self.inner.claim(now, lease).await?;
        if self.has(Defect::LoseFields) {
            for claim in &mut claims {
                claim.job = Ok(notice());
            }
        }
        Ok(claims)
    }

    async fn keep(
        &self,
        id: JobId,
        attempt: u32,
        rest: Job,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(true);
        }
        if self.has(Defect::IgnoreHolders) {
            let owed = self.inner.list(false, u32::MAX).await?;
            let held = owed.iter().find(|owed| owed.id == id);
            let attempt = held.map_or(attempt, |owed| owed.attempts);
            return self.inner.keep(id, attempt, rest, until).await;
        }
        self.inner.keep(id, attempt, rest, until).await
    }

    async fn settle(&self, id: JobId, at: Timestamp) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        self.inner.settle(id, at).await
    }

    async fn postpone(
        &self,
        id: JobId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        self.inner.postpone(id, attempt, due, reason).await
    }

    async fn bury(
        &self,
        id: JobId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        self.inner.bury(id, attempt, at, reason).await
    }

    async fn release(&self, id: JobId, attempt: u32) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        let later = u32::from(self.has(Defect::IgnoreHolders));
        self.inner.release(id, attempt + later).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedJob>, StoreError> {
        let mut listed = self.inner.list(buried, limit).await?;
        if self.has(Defect::LoseFields) {
            for owed in &mut listed {
                owed.reason = None;
            }
        }
        Ok(listed)
    }

    async fn revive(&self, id: JobId, at: Timestamp) -> Result<bool, StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(true);
        }
        self.inner.revive(id, at).await
    }

    async fn remove_settled(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(Defect::PurgeNothing) { 0 } else { limit };
        self.inner.remove_settled(before, limit).await
    }
}
