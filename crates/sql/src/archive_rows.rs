//! Rows of accounts that come from elsewhere, and the statement that adds many.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Nullable, Text};
use portcullis_domain::{AccountStatus, ImportedUser, UserNumber, Username};

use crate::types::{At, Id, Instant, Uid};

/// A whole account; without a number it is given the next one.
struct ImportedRow {
    number: Option<i64>,
    id: Id,
    email: String,
    email_verified_at: Option<At>,
    username: Option<String>,
    username_canonical: Option<String>,
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

impl From<&ImportedUser> for ImportedRow {
    fn from(user: &ImportedUser) -> Self {
        let parts = user.name.parts();
        Self {
            number: user.number.map(UserNumber::get),
            id: Id(user.id.get().as_uuid()),
            email: user.email.as_str().to_owned(),
            email_verified_at: user.email_verified_at.map(At),
            username: user.username.as_ref().map(|name| name.as_str().to_owned()),
            username_canonical: user.username.as_ref().map(Username::canonical),
            name: user.name.full().as_str().to_owned(),
            first_name: parts.map(|(first, _)| first.as_str().to_owned()),
            last_name: parts.map(|(_, last)| last.as_str().to_owned()),
            password_hash: user.password_hash.expose().to_owned(),
            password_changed_at: At(user.password_changed_at),
            is_active: user.status == AccountStatus::Active,
            created_at: At(user.created_at),
            updated_at: user.updated_at.map(At),
            last_login_at: user.last_login_at.map(At),
        }
    }
}

/// Adds rows in one statement, but for those whose unique values are held, and
/// returns [`AddedRow`]s. Either all rows have a number or none has.
///
/// Diesel has no such insert for `SQLite`; the text is the same for every
/// database but for its placeholders, which Diesel writes.
pub(crate) struct InsertMany {
    rows: Vec<ImportedRow>,
    are_numbered: bool,
}

impl InsertMany {
    pub(crate) fn of(users: &[ImportedUser]) -> Self {
        let are_numbered = users.first().is_some_and(|user| user.number.is_some());
        Self { rows: users.iter().map(ImportedRow::from).collect(), are_numbered }
    }

    pub(crate) fn are_numbered(&self) -> bool {
        self.are_numbered
    }
}

/// The columns besides the number, in the order in which a row binds them.
const COLUMNS: &str = "id, email, email_verified_at, username, username_canonical, name, \
     first_name, last_name, password_hash, password_changed_at, is_active, created_at, \
     updated_at, last_login_at";

impl<DB> QueryFragment<DB> for InsertMany
where
    DB: Backend + HasSqlType<Bool> + HasSqlType<Uid> + HasSqlType<Instant>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    String: ToSql<Text, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
    Id: ToSql<Uid, DB>,
    At: ToSql<Instant, DB>,
    Option<At>: ToSql<Nullable<Instant>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // As many rows, as many statements: none is worth keeping.
        out.unsafe_to_cache_prepared();
        out.push_sql("INSERT INTO users (");
        if self.are_numbered {
            out.push_sql("number, ");
        }
        out.push_sql(COLUMNS);
        for (at, row) in self.rows.iter().enumerate() {
            out.push_sql(if at == 0 { ") VALUES (" } else { "), (" });
            if let Some(number) = &row.number {
                out.push_bind_param::<BigInt, _>(number)?;
                out.push_sql(", ");
            }
            out.push_bind_param::<Uid, _>(&row.id)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.email)?;
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Instant>, _>(&row.email_verified_at)?;
            for text in [&row.username, &row.username_canonical] {
                out.push_sql(", ");
                out.push_bind_param::<Nullable<Text>, _>(text)?;
            }
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.name)?;
            for text in [&row.first_name, &row.last_name] {
                out.push_sql(", ");
                out.push_bind_param::<Nullable<Text>, _>(text)?;
            }
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.password_hash)?;
            out.push_sql(", ");
            out.push_bind_param::<Instant, _>(&row.password_changed_at)?;
            out.push_sql(", ");
            out.push_bind_param::<Bool, _>(&row.is_active)?;
            out.push_sql(", ");
            out.push_bind_param::<Instant, _>(&row.created_at)?;
            for at in [&row.updated_at, &row.last_login_at] {
                out.push_sql(", ");
                out.push_bind_param::<Nullable<Instant>, _>(at)?;
            }
        }
        out.push_sql(") ON CONFLICT DO NOTHING RETURNING id, number, email, username_canonical");
        Ok(())
    }
}

impl Query for InsertMany {
    type SqlType = (Uid, BigInt, Text, Nullable<Text>);
}

impl QueryId for InsertMany {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

/// The unique values of a row that was added.
#[derive(Queryable)]
pub(crate) struct AddedRow {
    pub(crate) id: Id,
    number: i64,
    email: String,
    username_canonical: Option<String>,
}

impl AddedRow {
    /// Whether this is what became of that account, and not of another with its id.
    pub(crate) fn is_of(&self, user: &ImportedUser) -> bool {
        self.id == Id(user.id.get().as_uuid())
            && user.number.is_none_or(|number| number == UserNumber::new(self.number))
            && self.email == user.email.as_str()
            && self.username_canonical == user.username.as_ref().map(Username::canonical)
    }
}
