//! Adding demo users, batch by batch.

use std::sync::Arc;

use portcullis_domain::ports::{AccountsArchive, Clock, IdGenerator};
use portcullis_domain::{DemoUsers, ImportOutcome, User};

use crate::demo_people::{DOMAIN, demo_person};
use crate::{ACCOUNTS_AT_ONCE, Failure, MoveIn, MoveOut};

/// What became of some demo users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// They are there now.
    pub added: u64,
    /// They were there before, and stay as they are: with the password they had.
    pub already_there: u64,
    /// Somebody else has their username.
    pub in_the_way: u64,
}

impl Seeded {
    /// How many that are.
    #[must_use]
    pub fn total(self) -> u64 {
        self.added + self.already_there + self.in_the_way
    }

    fn of(outcomes: &[ImportOutcome]) -> Self {
        outcomes.iter().fold(Self::default(), |mut seeded, outcome| {
            match outcome {
                ImportOutcome::Added => seeded.added += 1,
                ImportOutcome::AlreadyThere { .. } => seeded.already_there += 1,
                ImportOutcome::Conflict(_) => seeded.in_the_way += 1,
            }
            seeded
        })
    }
}

impl std::ops::AddAssign for Seeded {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.already_there += other.already_there;
        self.in_the_way += other.in_the_way;
    }
}

/// Adds demo users.
///
/// Who they are follows from their numbers alone, so an order may be carried out
/// again, by whomever: what is there already is left as it is.
pub struct Seeding {
    archive: Arc<dyn AccountsArchive>,
    move_in: MoveIn,
}

impl Seeding {
    /// Adds them to that store.
    #[must_use]
    pub fn new(
        archive: Arc<dyn AccountsArchive>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        Self { move_in: MoveIn::new(Arc::clone(&archive), clock, ids), archive }
    }

    /// Adds the first [`ACCOUNTS_AT_ONCE`] of them, all or none, and says what is
    /// left to do.
    ///
    /// # Errors
    /// [`Failure`]; then none of these was added.
    pub async fn batch(
        &mut self,
        users: &DemoUsers,
    ) -> Result<(Seeded, Option<DemoUsers>), Failure> {
        let (now, rest) = users.split(ACCOUNTS_AT_ONCE);
        let people = now.numbers().map(|number| demo_person(number, &now.password_hash));
        let outcomes = self.move_in.import(people.collect()).await?;
        Ok((Seeded::of(&outcomes), rest))
    }

    /// Whether any account is not a demo user's.
    ///
    /// # Errors
    /// [`Failure`] when the store is away.
    pub async fn is_among_strangers(&self) -> Result<bool, Failure> {
        let mut everybody = MoveOut::new(Arc::clone(&self.archive));
        loop {
            let page = everybody.next().await?;
            if page.iter().any(|user| !is_demo_user(user)) {
                return Ok(true);
            }
            if page.is_empty() {
                return Ok(false);
            }
        }
    }
}

fn is_demo_user(user: &User) -> bool {
    user.email.as_str().rsplit_once('@').is_some_and(|(_, domain)| domain == DOMAIN)
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::{START, stored_user};
    use portcullis_conformance::fakes::{Counting, ManualClock};
    use portcullis_domain::{LoginIdentifier, PasswordHash};
    use portcullis_memory::MemoryStore;

    use super::*;
    use crate::stage::{Stage, password};

    fn into(store: &MemoryStore) -> Seeding {
        let (clock, ids) = (Arc::new(ManualClock::at(START)), Arc::new(Counting::default()));
        Seeding::new(Arc::new(store.clone()), clock, ids)
    }

    fn users(first: u64, count: u32) -> DemoUsers {
        // As the stage's hasher makes them.
        let password_hash = PasswordHash::new(format!("0:{}", password()));
        DemoUsers { first, count, password_hash }
    }

    fn addresses(users: &[User]) -> Vec<&str> {
        users.iter().map(|user| user.email.as_str()).collect()
    }

    #[tokio::test]
    async fn demo_users_are_added_batch_by_batch_in_the_order_of_their_numbers() {
        let store = MemoryStore::new();
        let mut seeding = into(&store);
        let (mut rest, mut sizes) = (Some(users(1, 2_500)), Vec::new());
        while let Some(left) = rest {
            let (seeded, after) = seeding.batch(&left).await.unwrap();
            assert_eq!(seeded.total(), seeded.added);
            sizes.push(seeded.added);
            rest = after;
        }
        assert_eq!(sizes, [1_000, 1_000, 500]);
        let page = MoveOut::new(Arc::new(store)).next().await.unwrap();
        assert!(page[0].email.as_str().ends_with(".1@demo.example.com"), "{}", page[0].email);
        assert!(page[999].email.as_str().ends_with(".1000@demo.example.com"));
        assert!(page.iter().all(User::is_email_verified));
    }

    #[tokio::test]
    async fn who_is_there_already_stays_and_nobody_comes_twice() {
        let store = MemoryStore::new();
        let mut seeding = into(&store);
        seeding.batch(&users(1, 10)).await.unwrap();
        let before = MoveOut::new(Arc::new(store.clone())).next().await.unwrap();
        let other_password =
            DemoUsers { password_hash: PasswordHash::new("0:another".into()), ..users(6, 10) };
        let (seeded, rest) = seeding.batch(&other_password).await.unwrap();
        assert_eq!(seeded, Seeded { added: 5, already_there: 5, in_the_way: 0 });
        assert_eq!(rest, None);
        let after = MoveOut::new(Arc::new(store)).next().await.unwrap();
        assert_eq!(after[..10], before);
        assert_eq!(after.len(), 15, "{:?}", addresses(&after));
    }

    #[tokio::test]
    async fn a_username_that_somebody_has_keeps_only_its_own_demo_user_out() {
        let stage = Stage::new();
        stage.sign_up("adaeze.andersen.1", "ada@example.com").await.unwrap();
        let (seeded, _) = into(&stage.store).batch(&users(1, 3)).await.unwrap();
        assert_eq!(seeded, Seeded { added: 2, already_there: 0, in_the_way: 1 });
    }

    #[tokio::test]
    async fn a_demo_user_logs_in_by_address_and_by_username() {
        let stage = Stage::new();
        into(&stage.store).batch(&users(7, 1)).await.unwrap();
        let user = MoveOut::new(Arc::new(stage.store.clone())).next().await.unwrap().remove(0);
        let username = user.username.unwrap();
        assert!(LoginIdentifier::parse(username.as_str()).is_some());
        for identifier in [user.email.as_str(), username.as_str()] {
            assert!(stage.log_in(identifier, password()).await.is_ok(), "{identifier}");
        }
    }

    #[tokio::test]
    async fn whoever_is_no_demo_user_is_noticed() {
        let store = MemoryStore::new();
        let mut seeding = into(&store);
        assert!(!seeding.is_among_strangers().await.unwrap());
        for first in [1, 1_001] {
            seeding.batch(&users(first, 1_000)).await.unwrap();
        }
        assert!(!seeding.is_among_strangers().await.unwrap());
        // Not the domain, although it ends like it.
        stored_user(&store, "demo").await;
        assert!(seeding.is_among_strangers().await.unwrap());
    }
}
