//! Accounts.

use crate::{
    Email, LoginIdentifier, PasswordHash, PersonName, Timestamp, UserId, UserNumber, Username,
};

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// It may.
    Active,
    /// It logs in nowhere, and its tokens are dead.
    Disabled,
}

/// An account that no store has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// Contract A's id.
    pub id: UserId,
    /// The address that mail goes to.
    pub email: Email,
    /// Contract B's username; accounts of contract A have none.
    pub username: Option<Username>,
    /// The person's name.
    pub name: PersonName,
    /// The password's hash.
    pub password_hash: PasswordHash,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// An account: one, whichever contract it is used through (contract §1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Contract A's id.
    pub id: UserId,
    /// Contract B's id.
    pub number: UserNumber,
    /// The address that mail goes to.
    pub email: Email,
    /// When its owner proved to hold the mailbox, if ever.
    pub email_verified_at: Option<Timestamp>,
    /// Contract B's username; accounts of contract A have none.
    pub username: Option<Username>,
    /// The person's name.
    pub name: PersonName,
    /// The password's hash.
    pub password_hash: PasswordHash,
    /// When the password last changed. A session is opened only if this is
    /// still what it was when the password was checked.
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

impl NewUser {
    /// The account as it stands once a store has given it its number.
    #[must_use]
    pub fn numbered(self, number: UserNumber) -> User {
        User {
            id: self.id,
            number,
            email: self.email,
            email_verified_at: None,
            username: self.username,
            name: self.name,
            password_hash: self.password_hash,
            password_changed_at: self.created_at,
            status: AccountStatus::Active,
            created_at: self.created_at,
            updated_at: None,
            last_login_at: None,
        }
    }
}

impl User {
    /// Whether the account may be used.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == AccountStatus::Active
    }

    /// Whether its owner proved to hold the mailbox.
    #[must_use]
    pub fn is_email_verified(&self) -> bool {
        self.email_verified_at.is_some()
    }

    /// Whether somebody who knows the password and typed `identifier` may come
    /// in: an address only counts once it is proven (contract §1.2).
    #[must_use]
    pub fn may_identify_by(&self, identifier: &LoginIdentifier) -> bool {
        match identifier {
            LoginIdentifier::Email(_) => self.is_email_verified(),
            LoginIdentifier::Username(_) => true,
        }
    }

    /// Every identifier that names this account.
    #[must_use]
    pub fn identifiers(&self) -> Vec<LoginIdentifier> {
        let email = LoginIdentifier::Email(self.email.clone());
        let username = self.username.clone().map(LoginIdentifier::Username);
        std::iter::once(email).chain(username).collect()
    }
}
