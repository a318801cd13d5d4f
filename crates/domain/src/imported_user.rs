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
        /// Whether the rest differs: its owner may have logged in since, or
        /// changed the password or the name.
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

    /// What stands in its way among the accounts that hold any of its unique
    /// values; `None` if nothing does.
    #[must_use]
    pub fn met_by<'a>(
        &self,
        holders: impl IntoIterator<Item = &'a User> + Clone,
    ) -> Option<ImportOutcome> {
        let holder = |value| {
            let holds = |user: &&User| self.shares(value, user);
            holders.clone().into_iter().find(holds)
        };
        let named = self.unique_values();
        let held: Vec<(UniqueValue, &User)> =
            named.iter().filter_map(|value| Some((*value, holder(*value)?))).collect();
        let (_, first) = held.first()?;
        let is_same = held.len() == named.len() && held.iter().all(|(_, user)| user.id == first.id);
        Some(if is_same {
            ImportOutcome::AlreadyThere { differs: self.differs_from(first) }
        } else {
            ImportOutcome::Conflict(held.iter().map(|(value, _)| *value).collect())
        })
    }

    /// The unique values that it names.
    fn unique_values(&self) -> Vec<UniqueValue> {
        let id = matches!(self.id, ImportedId::Kept(_)).then_some(UniqueValue::Id);
        let number = self.number.map(|_| UniqueValue::Number);
        let username = self.username.as_ref().map(|_| UniqueValue::Username);
        [id, number, Some(UniqueValue::Email), username].into_iter().flatten().collect()
    }

    fn shares(&self, value: UniqueValue, user: &User) -> bool {
        match value {
            UniqueValue::Id => self.id.get() == user.id,
            UniqueValue::Number => self.number == Some(user.number),
            UniqueValue::Email => self.email == user.email,
            UniqueValue::Username => self.username.is_some() && self.username == user.username,
        }
    }

    fn differs_from(&self, user: &User) -> bool {
        let number = self.number.unwrap_or(user.number);
        let spelled = |name: &Option<Username>| name.as_ref().map(|name| name.as_str().to_owned());
        spelled(&self.username) != spelled(&user.username)
            || (User { id: user.id, ..self.clone().numbered(number) }) != *user
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::FullName;

    fn imported(local: &str, id: u128) -> ImportedUser {
        let at = Timestamp::from_seconds(1_700_000_000);
        ImportedUser {
            id: ImportedId::Kept(UserId::new(Uuid::from_u128(id))),
            number: Some(UserNumber::new(i64::try_from(id).unwrap())),
            email: Email::parse(&format!("{local}@example.com")).unwrap(),
            email_verified_at: None,
            username: Some(Username::parse(local).unwrap()),
            name: PersonName::whole(FullName::parse("Ann Lee").unwrap()),
            password_hash: PasswordHash::new("$2b$…".into()),
            password_changed_at: at,
            status: AccountStatus::Active,
            created_at: at,
            updated_at: None,
            last_login_at: None,
        }
    }

    fn stored(local: &str, id: u128) -> User {
        let user = imported(local, id);
        let number = user.number.unwrap();
        user.numbered(number)
    }

    #[test]
    fn where_nobody_holds_its_values_nothing_stands_in_its_way() {
        assert_eq!(imported("ann", 1).met_by(&[stored("bob", 2)]), None);
        assert_eq!(imported("ann", 1).met_by(&[]), None);
    }

    #[test]
    fn one_account_that_holds_all_it_names_is_itself() {
        let there = |differs| Some(ImportOutcome::AlreadyThere { differs });
        let ann = stored("ann", 1);
        assert_eq!(imported("ann", 1).met_by(&[stored("bob", 2), ann.clone()]), there(false));
        let fresh = ImportedId::Fresh(UserId::new(Uuid::from_u128(9)));
        let by_address = ImportedUser { id: fresh, number: None, ..imported("ann", 1) };
        assert_eq!(by_address.met_by(&[ann.clone()]), there(false));
        let nameless = ImportedUser { username: None, ..imported("ann", 1) };
        assert_eq!(nameless.met_by(&[ann.clone()]), there(true));
        let logged_in = User { last_login_at: Some(ann.created_at), ..ann };
        assert_eq!(imported("ann", 1).met_by(&[logged_in]), there(true));
    }

    #[test]
    fn values_of_others_are_a_conflict_that_names_them() {
        let conflict = |values: &[UniqueValue]| Some(ImportOutcome::Conflict(values.to_vec()));
        let ann = imported("ann", 1);
        let other = |change: fn(&mut User)| {
            let mut user = stored("bob", 2);
            change(&mut user);
            user
        };
        let same_id = other(|user| user.id = UserId::new(Uuid::from_u128(1)));
        let same_number = other(|user| user.number = UserNumber::new(1));
        let same_email = other(|user| user.email = Email::parse("ann@example.com").unwrap());
        let same_username = other(|user| user.username = Username::parse("ANN").ok());
        for (user, value) in [
            (&same_id, UniqueValue::Id),
            (&same_number, UniqueValue::Number),
            (&same_email, UniqueValue::Email),
            (&same_username, UniqueValue::Username),
        ] {
            assert_eq!(ann.met_by([user]), conflict(&[value]));
        }
        let two = [same_username, same_id];
        assert_eq!(ann.met_by(&two), conflict(&[UniqueValue::Id, UniqueValue::Username]));
    }

    #[test]
    fn all_values_held_by_several_accounts_are_a_conflict_too() {
        let (mut one, two) = (stored("ann", 1), stored("ann", 1));
        one.id = UserId::new(Uuid::from_u128(7));
        one.email = Email::parse("other@example.com").unwrap();
        let outcome = imported("ann", 1).met_by(&[one, two]);
        assert!(matches!(outcome, Some(ImportOutcome::Conflict(_))), "{outcome:?}");
    }
}
