//! Accounts on their way in and out.

use std::collections::HashMap;

use async_trait::async_trait;
use portcullis_domain::ports::AccountsArchive;
use portcullis_domain::{Holders, ImportOutcome, ImportedUser, StoreError, User, UserNumber};

use crate::SqlStore;
use crate::connection::Lease;
use crate::queries::archive;
use crate::types::Id;

/// Most accounts in one statement: databases bound its parameters, of which
/// each account is fifteen.
const STATEMENT: usize = 1_000;

#[async_trait]
impl AccountsArchive for SqlStore {
    async fn import(&self, batch: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError> {
        let mut unit = self.unit().await?;
        let lease = &mut unit.lease;
        lease.take_time();
        let mut outcomes = Vec::with_capacity(batch.len());
        let same_kind = |one: &ImportedUser, other: &ImportedUser| {
            one.number.is_some() == other.number.is_some()
        };
        for part in batch.chunk_by(same_kind).flat_map(|kind| kind.chunks(STATEMENT)) {
            outcomes.extend(import_part(lease, part).await?);
        }
        lease.commit().await?;
        Ok(outcomes)
    }

    async fn compare(
        &self,
        batch: Vec<ImportedUser>,
    ) -> Result<Vec<Option<ImportOutcome>>, StoreError> {
        let mut lease = self.readers.lease().await?;
        lease.take_time();
        let mut outcomes = Vec::with_capacity(batch.len());
        for part in batch.chunks(STATEMENT) {
            let part: Vec<_> = part.iter().collect();
            let holders = Holders::of(archive::holders(&mut lease, &part).await?);
            outcomes.extend(part.iter().map(|user| holders.met_by(user)));
        }
        Ok(outcomes)
    }

    async fn export(&self, after: UserNumber, limit: u32) -> Result<Vec<User>, StoreError> {
        archive::page(&mut self.readers.lease().await?, after, limit).await
    }
}

/// Adds what can be added; only what could not is looked up.
async fn import_part(
    lease: &mut Lease,
    part: &[ImportedUser],
) -> Result<Vec<ImportOutcome>, StoreError> {
    let added = archive::insert(lease, part).await?;
    let mut added: HashMap<Id, _> = added.into_iter().map(|row| (row.id, row)).collect();
    let mut outcomes = Vec::with_capacity(part.len());
    let mut left = Vec::new();
    for user in part {
        let id = Id(user.id.get().as_uuid());
        if added.get(&id).is_some_and(|row| row.is_of(user)) {
            // Taken out: of two with the same values one was added.
            added.remove(&id);
            outcomes.push(Some(ImportOutcome::Added));
        } else {
            left.push(user);
            outcomes.push(None);
        }
    }
    if left.is_empty() {
        return Ok(outcomes.into_iter().flatten().collect());
    }
    let holders = Holders::of(archive::holders(lease, &left).await?);
    part.iter()
        .zip(outcomes)
        .map(|(user, outcome)| {
            let outcome = outcome.or_else(|| holders.met_by(user));
            // Where others write meanwhile, a holder may be gone by now.
            outcome.ok_or_else(|| StoreError::Unavailable("an account made room just now".into()))
        })
        .collect()
}
