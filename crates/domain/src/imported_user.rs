//! Accounts that come from elsewhere, and what becomes of them.

use crate::{
    AccountStatus, Email, PasswordHash, PersonName, Timestamp, User, UserId, UserNumber, Username,
};

/// The id of an account that comes from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportedId {
    /// The one it had there. It names the account here too.
    Kept(UserId),
    /// A fresh one: it had none, so its address names it.
    Fresh(UserId),
}

impl ImportedId {
    /// The id that the account has from now on.
    #[must_use]
    pub fn get(self) -> UserId {
        match self {
            Self::Kept(id) | Self::Fresh(id) => id,
        }
    }
}

/// An account that comes from elsewhere with everything it had there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedUser {
    /// Contract A's id.
    pub id: ImportedId,
    /// Contract B's id, if it had one; else the store counts one.
    pub number: Option<UserNumber>,
    /// The address that mail goes to.
    pub email: Email,
    /// When its owner proved to hold the mailbox, if ever.
    pub email_verified_at: Option<Timestamp>,
    /// Contract B's username, if it had one.
    pub username: Option<Username>,
    /// The person's name.
    pub name: PersonName,
    /// The password's hash.
    pub password_hash: PasswordHash,
    /// When the password last changed.
    pub password_changed_at: Timestamp,
    /// Whether the account may be used.
    pub status: AccountStatus,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its profile last changed, if ever.
    pub updated_at: Option<Timestamp>,
    /// When a password last opened a session, if ever.
    pub last_login_at: Option<Timestamp>,
}

/// A value that no two accounts share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UniqueValue {
    /// Contract A's id.
    Id,
    /// Contract B's id.
    Number,
    /// The e-mail address.
    Email,
    /// The username.
    Username,
}

/// What became of an account that was to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is there now.
    Added,
    /// It was there before and stays as it is: one account holds every unique
    /// value that it names.
    AlreadyThere {
        /// Whether its name, its hash, its status, the proof of its mailbox or
        /// the spelling of its username differ: its owner may have logged in
        /// since, or changed something.
        differs: bool,
    },
    /// These values are held, by another account or by several. Nothing of it
    /// was added.
    Conflict(Vec<UniqueValue>),
}

impl ImportedUser {
    /// The account as it stands once it has its number.
    #[must_use]
    pub fn numbered(self, number: UserNumber) -> User {
        User {
            id: self.id.get(),
            number,
            email: self.email,
            email_verified_at: self.email_verified_at,
            username: self.username,
            name: self.name,
            password_hash: self.password_hash,
            password_changed_at: self.password_changed_at,
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_login_at: self.last_login_at,
        }
    }

    /// The unique values that it names.
    pub(crate) fn unique_values(&self) -> Vec<UniqueValue> {
        let id = matches!(self.id, ImportedId::Kept(_)).then_some(UniqueValue::Id);
        let number = self.number.map(|_| UniqueValue::Number);
        let username = self.username.as_ref().map(|_| UniqueValue::Username);
        [id, number, Some(UniqueValue::Email), username].into_iter().flatten().collect()
    }

    /// Whether it differs from the account that it is. Times do not count: they
    /// may have been filled in, and a login changes them.
    pub(crate) fn differs_from(&self, user: &User) -> bool {
        let spelled = |name: &Option<Username>| name.as_ref().map(|name| name.as_str().to_owned());
        spelled(&self.username) != spelled(&user.username)
            || self.name != user.name
            || self.password_hash != user.password_hash
            || self.status != user.status
            || self.email_verified_at.is_some() != user.is_email_verified()
    }
}
