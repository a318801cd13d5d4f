//! Accounts on their way in and out.

use async_trait::async_trait;
use portcullis_domain::ports::AccountsArchive;
use portcullis_domain::{Holders, ImportOutcome, ImportedUser, StoreError, User, UserNumber};

use crate::MemoryStore;
use crate::state::State;

#[async_trait]
impl AccountsArchive for MemoryStore {
    async fn import(&self, batch: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError> {
        let mut state = self.state().await;
        Ok(batch.into_iter().map(|user| state.import_user(user)).collect())
    }

    async fn compare(
        &self,
        batch: Vec<ImportedUser>,
    ) -> Result<Vec<Option<ImportOutcome>>, StoreError> {
        let state = self.state().await;
        Ok(batch.iter().map(|user| state.in_the_way_of(user)).collect())
    }

    async fn export(&self, after: UserNumber, limit: u32) -> Result<Vec<User>, StoreError> {
        let state = self.state().await;
        let mut users: Vec<&User> =
            state.users.values().filter(|user| user.number > after).collect();
        users.sort_by_key(|user| user.number);
        Ok(users.into_iter().take(limit as usize).cloned().collect())
    }
}

impl State {
    fn in_the_way_of(&self, user: &ImportedUser) -> Option<ImportOutcome> {
        let shares = |other: &&User| {
            other.id == user.id.get()
                || Some(other.number) == user.number
                || other.email == user.email
                || (other.username.is_some() && other.username == user.username)
        };
        Holders::of(self.users.values().filter(shares).cloned().collect()).met_by(user)
    }

    fn import_user(&mut self, user: ImportedUser) -> ImportOutcome {
        if let Some(outcome) = self.in_the_way_of(&user) {
            return outcome;
        }
        let number = user.number.map_or(self.last_number + 1, UserNumber::get);
        self.last_number = self.last_number.max(number);
        let user = user.numbered(UserNumber::new(number));
        self.users.insert(user.id, user);
        ImportOutcome::Added
    }
}
