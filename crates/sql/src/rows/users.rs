//! Accounts.

use diesel::prelude::*;
use portcullis_domain::{
    AccountStatus, Email, FullName, NamePart, NewUser, PasswordHash, PersonName, StoreError, User,
    UserId, UserNumber, Username,
};

use crate::error::corrupt;
use crate::schema::users;
use crate::types::{At, Id};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    number: i64,
    id: Id,
    email: String,
    email_verified_at: Option<At>,
    username: Option<String>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: String,
    password_changed_at: At,
    is_active: bool,
    created_at: At,
    updated_at: Option<At>,
    last_login_at: Option<At>,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = users)]
pub(crate) struct NewUserRow {
    id: Id,
    pub(crate) email: String,
    username: Option<String>,
    pub(crate) username_canonical: Option<String>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: String,
    password_changed_at: At,
    is_active: bool,
    created_at: At,
}

impl From<&NewUser> for NewUserRow {
    fn from(user: &NewUser) -> Self {
        let parts = user.name.parts();
        Self {
            id: Id(user.id.as_uuid()),
            email: user.email.as_str().to_owned(),
            username: user.username.as_ref().map(|name| name.as_str().to_owned()),
            username_canonical: user.username.as_ref().map(Username::canonical),
            name: user.name.full().as_str().to_owned(),
            first_name: parts.map(|(first, _)| first.as_str().to_owned()),
            last_name: parts.map(|(_, last)| last.as_str().to_owned()),
            password_hash: user.password_hash.expose().to_owned(),
            password_changed_at: At(user.created_at),
            is_active: true,
            created_at: At(user.created_at),
        }
    }
}

impl NewUserRow {
    /// The same row under an address that nobody can have.
    pub(crate) fn stand_in(&self) -> Self {
        let email = self.id.0.to_string();
        Self { email, username: None, username_canonical: None, ..self.clone() }
    }
}

fn person_name(
    full: &str,
    first: Option<&str>,
    last: Option<&str>,
) -> Result<PersonName, StoreError> {
    let full = FullName::parse(full).map_err(|_| corrupt("a name"))?;
    let part = |text| NamePart::parse(text).map_err(|_| corrupt("a part of a name"));
    let parts = match (first, last) {
        (Some(first), Some(last)) => Some((part(first)?, part(last)?)),
        _ => None,
    };
    Ok(PersonName::restore(full, parts))
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let username = row.username.as_deref().map(Username::parse).transpose();
        Ok(Self {
            id: UserId::new(row.id.0),
            number: UserNumber::new(row.number),
            email: Email::parse(&row.email).map_err(|_| corrupt("an e-mail address"))?,
            email_verified_at: row.email_verified_at.map(|at| at.0),
            username: username.map_err(|_| corrupt("a username"))?,
            name: person_name(&row.name, row.first_name.as_deref(), row.last_name.as_deref())?,
            password_hash: PasswordHash::new(row.password_hash),
            password_changed_at: row.password_changed_at.0,
            status: if row.is_active { AccountStatus::Active } else { AccountStatus::Disabled },
            created_at: row.created_at.0,
            updated_at: row.updated_at.map(|at| at.0),
            last_login_at: row.last_login_at.map(|at| at.0),
        })
    }
}
