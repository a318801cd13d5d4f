//! Accounts on their way in and out, many at a time.

use async_trait::async_trait;

use crate::{ImportOutcome, ImportedUser, StoreError, User, UserNumber};

/// Moves accounts in and out of the store as they are, in single steps.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AccountsArchive: Send + Sync {
    /// Adds the accounts that nothing stands in the way of; of two in one
    /// batch that share a unique value, the first. What was added becomes
    /// visible together. Says what became of each, in their order.
    ///
    /// A number that was kept is never counted again for somebody else.
    async fn import(&self, batch: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError>;

    /// What stands in the way of each account among those that are stored
    /// already, in their order; `None` where nothing does. Writes nothing.
    async fn compare(
        &self,
        batch: Vec<ImportedUser>,
    ) -> Result<Vec<Option<ImportOutcome>>, StoreError>;

    /// The accounts whose numbers come after `after`, by their numbers, at
    /// most `limit`.
    async fn export(&self, after: UserNumber, limit: u32) -> Result<Vec<User>, StoreError>;
}
