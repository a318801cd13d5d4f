//! Moving accounts in from elsewhere, and out again.

use std::sync::Arc;

use portcullis_domain::ports::{AccountsArchive, Clock, IdGenerator};
use portcullis_domain::{
    AccountStatus, Email, FullName, ImportOutcome, ImportedId, ImportedUser, PasswordHash,
    PersonName, Timestamp, User, UserId, UserNumber, Username,
};

use crate::Failure;

/// How many accounts are moved at once: few enough that a server on the same
/// database is not held up.
pub const ACCOUNTS_AT_ONCE: usize = 1_000;

/// When its owner proved to hold an account's mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxProof {
    /// Never.
    None,
    /// Then.
    At(Timestamp),
    /// Nobody knows; it counts as proven since the account was registered.
    SinceRegistration,
}

/// An account as another system tells of it. What it leaves out is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Contract A's id; else a new one.
    pub id: Option<UserId>,
    /// Contract B's id; else the next one.
    pub number: Option<UserNumber>,
    /// The address that mail goes to.
    pub email: Email,
    /// Whether that address is proven.
    pub mailbox_proof: MailboxProof,
    /// Contract B's username, if any.
    pub username: Option<Username>,
    /// The person's name.
    pub name: PersonName,
    /// The password's hash, which somebody has found to be usable.
    pub password_hash: PasswordHash,
    /// When the password last changed; else when the account was registered.
    pub password_changed_at: Option<Timestamp>,
    /// Whether the account may be used.
    pub status: AccountStatus,
    /// When it was registered; else now.
    pub created_at: Option<Timestamp>,
    /// When its profile last changed, if ever.
    pub updated_at: Option<Timestamp>,
    /// When its owner last logged in, if ever.
    pub last_login_at: Option<Timestamp>,
}

impl Arrival {
    /// Whether the server removes the account unless its mailbox is proven in
    /// time after its registration.
    #[must_use]
    pub fn waits_for_proof(&self) -> bool {
        self.mailbox_proof == MailboxProof::None && self.username.is_none()
    }

    fn into_account(self, now: Timestamp, fresh: impl FnOnce() -> UserId) -> ImportedUser {
        let created_at = self.created_at.unwrap_or(now);
        ImportedUser {
            id: self.id.map_or_else(|| ImportedId::Fresh(fresh()), ImportedId::Kept),
            number: self.number,
            email: self.email,
            email_verified_at: match self.mailbox_proof {
                MailboxProof::None => None,
                MailboxProof::At(at) => Some(at),
                MailboxProof::SinceRegistration => Some(created_at),
            },
            username: self.username,
            name: self.name,
            password_hash: self.password_hash,
            password_changed_at: self.password_changed_at.unwrap_or(created_at),
            status: self.status,
            created_at,
            updated_at: self.updated_at,
            last_login_at: self.last_login_at,
        }
    }
}

/// Moves accounts in, or only tries to.
pub struct MoveIn {
    archive: Arc<dyn AccountsArchive>,
    rehearsal: Option<Rehearsal>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl MoveIn {
    /// Moves accounts into that store.
    #[must_use]
    pub fn new(
        archive: Arc<dyn AccountsArchive>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        Self { archive, rehearsal: None, clock, ids }
    }

    /// The same, but what would be added is added to `scratch`, an empty store
    /// that is thrown away: so accounts that are at odds with each other are
    /// found too, however many there are.
    #[must_use]
    pub fn rehearsed_on(self, scratch: Arc<dyn AccountsArchive>) -> Self {
        Self { rehearsal: Some(Rehearsal { scratch, is_set_up: false }), ..self }
    }

    /// Moves accounts in, all that can be or none, and says what became of
    /// each, in their order.
    ///
    /// # Errors
    /// [`Failure`]; then none of them was added.
    pub async fn import(&mut self, arrivals: Vec<Arrival>) -> Result<Vec<ImportOutcome>, Failure> {
        let now = self.clock.now();
        let accounts: Vec<ImportedUser> = arrivals
            .into_iter()
            .map(|arrival| arrival.into_account(now, || self.ids.user()))
            .collect();
        match &mut self.rehearsal {
            None => Ok(self.archive.import(accounts).await?),
            Some(rehearsal) => {
                let met = self.archive.compare(accounts.clone()).await?;
                rehearsal.import(accounts, met).await
            }
        }
    }
}

/// Where a rehearsal's store starts to count: no account brings such a number along.
const FAR_NUMBER: UserNumber = UserNumber::new(1 << 62);

struct Rehearsal {
    scratch: Arc<dyn AccountsArchive>,
    is_set_up: bool,
}

impl Rehearsal {
    /// What would become of accounts, given what they meet in the real store.
    async fn import(
        &mut self,
        accounts: Vec<ImportedUser>,
        met: Vec<Option<ImportOutcome>>,
    ) -> Result<Vec<ImportOutcome>, Failure> {
        let free = accounts.into_iter().zip(&met).filter(|(_, met)| met.is_none());
        let free: Vec<_> = free.map(|(account, _)| anonymous(account)).collect();
        if let Some(account) = free.first().filter(|_| !self.is_set_up) {
            self.scratch.import(vec![far(account)]).await?;
            self.is_set_up = true;
        }
        let mut tried = self.scratch.import(free).await?.into_iter();
        let outcomes = met.into_iter().map(|met| met.or_else(|| tried.next()));
        Ok(outcomes.flatten().collect())
    }
}

/// The account without what a rehearsal need not know.
fn anonymous(account: ImportedUser) -> ImportedUser {
    let hash = PasswordHash::new(String::new());
    ImportedUser { name: nobody(), password_hash: hash, ..account }
}

/// An account after which a store counts numbers that stand in nobody's way.
#[expect(clippy::expect_used, reason = "the text is an address")]
fn far(account: &ImportedUser) -> ImportedUser {
    ImportedUser {
        id: ImportedId::Kept(UserId::new(uuid::Uuid::nil())),
        number: Some(FAR_NUMBER),
        email: Email::parse("nobody@portcullis.invalid").expect("an address"),
        username: None,
        ..account.clone()
    }
}

#[expect(clippy::expect_used, reason = "the text is a name")]
fn nobody() -> PersonName {
    PersonName::whole(FullName::parse("Nobody").expect("a name"))
}

/// Moves accounts out, page by page in the order of their numbers.
pub struct MoveOut {
    archive: Arc<dyn AccountsArchive>,
    last: UserNumber,
}

impl MoveOut {
    /// Moves accounts out of that store, from the first.
    #[must_use]
    pub fn new(archive: Arc<dyn AccountsArchive>) -> Self {
        Self { archive, last: UserNumber::new(0) }
    }

    /// The next accounts; none after the last.
    ///
    /// # Errors
    /// [`Failure`]; asking again asks for the same ones.
    pub async fn next(&mut self) -> Result<Vec<User>, Failure> {
        let limit = u32::try_from(ACCOUNTS_AT_ONCE).unwrap_or(u32::MAX);
        let page = self.archive.export(self.last, limit).await?;
        if let Some(user) = page.last() {
            self.last = user.number;
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::{START, TICK, email, name, user_id, username};
    use portcullis_conformance::fakes::{Counting, ManualClock};
    use portcullis_domain::UniqueValue;
    use portcullis_memory::MemoryStore;

    use super::*;

    fn into(store: &MemoryStore) -> MoveIn {
        let (clock, ids) = (Arc::new(ManualClock::at(START)), Arc::new(Counting::default()));
        MoveIn::new(Arc::new(store.clone()), clock, ids)
    }

    fn arrival(local: &str) -> Arrival {
        Arrival {
            id: None,
            number: None,
            email: email(local),
            mailbox_proof: MailboxProof::None,
            username: None,
            name: name("Ann Lee"),
            password_hash: PasswordHash::new("$fake$hash".into()),
            password_changed_at: None,
            status: AccountStatus::Active,
            created_at: None,
            updated_at: None,
            last_login_at: None,
        }
    }

    async fn moved_out(store: &MemoryStore) -> Vec<User> {
        MoveOut::new(Arc::new(store.clone())).next().await.unwrap()
    }

    #[tokio::test]
    async fn what_is_left_out_is_filled_in() {
        let store = MemoryStore::new();
        let early = START - TICK;
        let known = Arrival {
            created_at: Some(early),
            mailbox_proof: MailboxProof::SinceRegistration,
            ..arrival("bob")
        };
        into(&store).import(vec![arrival("ann"), known]).await.unwrap();
        let users = moved_out(&store).await;
        let times =
            |user: &User| (user.created_at, user.password_changed_at, user.email_verified_at);
        assert_eq!(times(&users[0]), (START, START, None));
        assert_eq!(times(&users[1]), (early, early, Some(early)));
        assert_ne!(users[0].id, users[1].id);
    }

    #[tokio::test]
    async fn a_rehearsal_says_what_an_import_would_and_writes_nothing() {
        let there = Arrival { id: Some(user_id()), ..arrival("there") };
        let same_name = Arrival { username: Some(username("annlee")), ..arrival("ann") };
        let batches = [
            vec![there.clone(), arrival("bob"), same_name.clone()],
            vec![
                Arrival { username: Some(username("ANNLEE")), ..arrival("eve") },
                Arrival { id: Some(user_id()), ..arrival("there") },
                // The scratch store must not take this number for bob.
                Arrival { number: Some(UserNumber::new(2)), ..arrival("ida") },
                arrival("bob"),
                same_name,
            ],
        ];
        let mut said = Vec::new();
        for is_rehearsed in [true, false] {
            let store = MemoryStore::new();
            into(&store).import(vec![there.clone()]).await.unwrap();
            let mut move_in = into(&store);
            if is_rehearsed {
                move_in = move_in.rehearsed_on(Arc::new(MemoryStore::new()));
            } else {
                // So that counting does not come across ida's number.
                let late = Arrival { number: Some(UserNumber::new(9)), ..arrival("late") };
                move_in.import(vec![late]).await.unwrap();
            }
            let mut outcomes = Vec::new();
            for batch in batches.clone() {
                outcomes.extend(move_in.import(batch).await.unwrap());
            }
            if is_rehearsed {
                assert_eq!(moved_out(&store).await.len(), 1, "a rehearsal wrote");
            }
            said.push(outcomes.iter().map(without_detail).collect::<Vec<_>>());
        }
        assert_eq!(said[0], said[1]);
        let conflict = |value| ImportOutcome::Conflict(vec![value]);
        assert_eq!(said[0][3..5], [conflict(UniqueValue::Username), conflict(UniqueValue::Email)]);
    }

    /// A rehearsal keeps no hashes, so it cannot tell what differs within a file.
    fn without_detail(outcome: &ImportOutcome) -> ImportOutcome {
        match outcome {
            ImportOutcome::AlreadyThere { .. } => ImportOutcome::AlreadyThere { differs: false },
            other => other.clone(),
        }
    }

    #[tokio::test]
    async fn everybody_moves_out_page_by_page() {
        let store = MemoryStore::new();
        let crowd = (0..=ACCOUNTS_AT_ONCE).map(|at| arrival(&format!("u{at}"))).collect();
        into(&store).import(crowd).await.unwrap();
        let mut move_out = MoveOut::new(Arc::new(store));
        assert_eq!(move_out.next().await.unwrap().len(), ACCOUNTS_AT_ONCE);
        assert_eq!(move_out.next().await.unwrap().len(), 1);
        assert_eq!(move_out.next().await.unwrap().len(), 0);
    }
}
