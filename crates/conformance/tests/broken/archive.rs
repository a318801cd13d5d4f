//! Accounts on their way in and out, with a defect.

use async_trait::async_trait;
use portcullis_domain::ports::{AccountsArchive, Store};
use portcullis_domain::{
    ImportOutcome, ImportedUser, StoreError, UniqueValue, User, UserId, UserNumber,
};

use super::{Broken, Defect};

#[async_trait]
impl AccountsArchive for Broken {
    async fn import(&self, mut batch: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError> {
        match self.defect {
            Defect::ImportNothing => return Ok(vec![ImportOutcome::Added; batch.len()]),
            Defect::CutBatches => batch.truncate(1_000),
            Defect::LoseFields => batch.iter_mut().for_each(|user| user.updated_at = None),
            Defect::CountAnew => batch.iter_mut().for_each(|user| user.number = None),
            Defect::AllOrNothing => {
                let compared = self.inner.compare(batch.clone()).await?;
                if compared.iter().any(Option::is_some) {
                    let nothing = ImportOutcome::Conflict(Vec::new());
                    return Ok(compared
                        .into_iter()
                        .map(|outcome| outcome.unwrap_or_else(|| nothing.clone()))
                        .collect());
                }
            }
            Defect::LookBeforehand => {
                let compared = self.inner.compare(batch.clone()).await?;
                self.let_another_look().await;
                self.inner.import(batch).await?;
                return Ok(compared
                    .into_iter()
                    .map(|outcome| outcome.unwrap_or(ImportOutcome::Added))
                    .collect());
            }
            Defect::Overwrite => self.overwrite(&batch).await?,
            Defect::CommitHalf => {
                let mut outcomes = Vec::new();
                for user in batch {
                    outcomes.extend(self.inner.import(vec![user]).await?);
                    // A moment at which its caller may be cancelled.
                    tokio::task::yield_now().await;
                }
                return Ok(outcomes);
            }
            _ => {}
        }
        let mut outcomes = self.inner.import(batch).await?;
        match self.defect {
            Defect::BlameTheAddress => outcomes.iter_mut().for_each(|outcome| {
                if matches!(outcome, ImportOutcome::Conflict(_)) {
                    *outcome = ImportOutcome::Conflict(vec![UniqueValue::Email]);
                }
            }),
            Defect::ForgetIdentity => outcomes.iter_mut().for_each(|outcome| {
                if matches!(outcome, ImportOutcome::AlreadyThere { .. }) {
                    *outcome = ImportOutcome::Conflict(vec![UniqueValue::Id]);
                }
            }),
            Defect::ListBackwards => outcomes.reverse(),
            _ => {}
        }
        Ok(outcomes)
    }

    async fn compare(
        &self,
        batch: Vec<ImportedUser>,
    ) -> Result<Vec<Option<ImportOutcome>>, StoreError> {
        let compared = self.inner.compare(batch.clone()).await?;
        if self.has(Defect::CompareByImporting) {
            self.inner.import(batch).await?;
        }
        Ok(compared)
    }

    async fn export(&self, after: UserNumber, limit: u32) -> Result<Vec<User>, StoreError> {
        let mut users = self.inner.export(after, limit).await?;
        match self.defect {
            Defect::LoseFields => users.iter_mut().for_each(|user| user.email_verified_at = None),
            Defect::ListBackwards => users.reverse(),
            _ => {}
        }
        Ok(users)
    }
}

impl Broken {
    async fn overwrite(&self, batch: &[ImportedUser]) -> Result<(), StoreError> {
        let mut unit = self.inner.begin().await?;
        for user in batch {
            let id: UserId = user.id.get();
            if unit.users().by_id(id).await?.is_some() {
                unit.users().rename(id, &user.name, user.created_at).await?;
            }
        }
        unit.commit().await
    }
}
