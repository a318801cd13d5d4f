//! Who holds the unique values that accounts from elsewhere bring along.

use std::collections::HashMap;

use crate::{Email, ImportOutcome, ImportedUser, UniqueValue, User, UserId, UserNumber, Username};

/// Stored accounts, to be found by each of their unique values.
#[derive(Debug)]
pub struct Holders {
    users: Vec<User>,
    ids: HashMap<UserId, usize>,
    numbers: HashMap<UserNumber, usize>,
    emails: HashMap<Email, usize>,
    usernames: HashMap<Username, usize>,
}

impl Holders {
    /// Those accounts.
    #[must_use]
    pub fn of(users: Vec<User>) -> Self {
        let all = || users.iter().enumerate();
        Self {
            ids: all().map(|(at, user)| (user.id, at)).collect(),
            numbers: all().map(|(at, user)| (user.number, at)).collect(),
            emails: all().map(|(at, user)| (user.email.clone(), at)).collect(),
            usernames: all().filter_map(|(at, user)| Some((user.username.clone()?, at))).collect(),
            users,
        }
    }

    /// What stands in the way of an account; `None` if nothing does.
    #[must_use]
    pub fn met_by(&self, user: &ImportedUser) -> Option<ImportOutcome> {
        let named = user.unique_values();
        let held: Vec<(UniqueValue, &User)> =
            named.iter().filter_map(|value| Some((*value, self.holder(user, *value)?))).collect();
        let (_, first) = held.first()?;
        let is_same = held.len() == named.len() && held.iter().all(|(_, user)| user.id == first.id);
        Some(if is_same {
            ImportOutcome::AlreadyThere { differs: user.differs_from(first) }
        } else {
            ImportOutcome::Conflict(held.into_iter().map(|(value, _)| value).collect())
        })
    }

    fn holder(&self, user: &ImportedUser, value: UniqueValue) -> Option<&User> {
        let at = match value {
            UniqueValue::Id => self.ids.get(&user.id.get()),
            UniqueValue::Number => self.numbers.get(&user.number?),
            UniqueValue::Email => self.emails.get(&user.email),
            UniqueValue::Username => self.usernames.get(user.username.as_ref()?),
        };
        self.users.get(*at?)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{AccountStatus, FullName, ImportedId, PasswordHash, PersonName, Timestamp};

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

    fn met(user: &ImportedUser, stored: &[&User]) -> Option<ImportOutcome> {
        Holders::of(stored.iter().copied().cloned().collect()).met_by(user)
    }

    #[test]
    fn where_nobody_holds_its_values_nothing_stands_in_its_way() {
        assert_eq!(met(&imported("ann", 1), &[&stored("bob", 2)]), None);
        assert_eq!(met(&imported("ann", 1), &[]), None);
    }

    #[test]
    fn one_account_that_holds_all_it_names_is_itself() {
        let there = |differs| Some(ImportOutcome::AlreadyThere { differs });
        let ann = stored("ann", 1);
        assert_eq!(met(&imported("ann", 1), &[&stored("bob", 2), &ann]), there(false));
        let fresh = ImportedId::Fresh(UserId::new(Uuid::from_u128(9)));
        let by_address = ImportedUser { id: fresh, number: None, ..imported("ann", 1) };
        assert_eq!(met(&by_address, &[&ann]), there(false));
        let nameless = ImportedUser { username: None, ..imported("ann", 1) };
        assert_eq!(met(&nameless, &[&ann]), there(true));
        let logged_in = User { last_login_at: Some(ann.created_at), ..ann.clone() };
        assert_eq!(met(&imported("ann", 1), &[&logged_in]), there(false));
        let rehashed = User { password_hash: PasswordHash::new("$other$".into()), ..ann };
        assert_eq!(met(&imported("ann", 1), &[&rehashed]), there(true));
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
            assert_eq!(met(&ann, &[user]), conflict(&[value]));
        }
        assert_eq!(
            met(&ann, &[&same_username, &same_id]),
            conflict(&[UniqueValue::Id, UniqueValue::Username])
        );
    }

    #[test]
    fn all_values_held_by_several_accounts_are_a_conflict_too() {
        let ann = ImportedUser { number: None, username: None, ..imported("ann", 1) };
        let (mut one, mut two) = (stored("bob", 2), stored("eve", 3));
        one.id = ann.id.get();
        two.email = ann.email.clone();
        let values = vec![UniqueValue::Id, UniqueValue::Email];
        assert_eq!(met(&ann, &[&one, &two]), Some(ImportOutcome::Conflict(values)));
    }
}
