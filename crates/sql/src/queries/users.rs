//! Accounts.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{
    LoginIdentifier, NewUser, PasswordHash, PersonName, StoreError, Taken, Timestamp, User, UserId,
};

use crate::connection::{Lease, run};
use crate::rows::{NewUserRow, UserRow};
use crate::schema::users;
use crate::types::{At, Id};

pub(crate) async fn add(lease: &mut Lease, user: &NewUser) -> Result<User, StoreError> {
    let row = NewUserRow::from(user);
    // Before the insert, which uses up a number even if it adds nothing.
    if let Some(taken) = taken(lease, &row).await? {
        return Err(StoreError::Conflict(taken));
    }
    if let Some(added) = insert(lease, &row).await? {
        return added.try_into();
    }
    // Somebody was faster by a moment.
    Err(StoreError::Conflict(taken(lease, &row).await?.unwrap_or(Taken::Username)))
}

/// Where the account is taken, a stand-in is added and removed again: as many
/// pages are written as for an account that stays.
pub(crate) async fn add_discreetly(lease: &mut Lease, user: &NewUser) -> Result<User, StoreError> {
    let row = NewUserRow::from(user);
    let stand_in = row.stand_in();
    let stand_ins_email = stand_in.email.clone();
    let taken = taken(lease, &row).await?;
    let added = insert(lease, if taken.is_some() { &stand_in } else { &row }).await?;
    run!(lease, connection => async {
        let there = users::table.filter(users::email.eq(&stand_ins_email));
        diesel::delete(there).execute(connection).await
    })?;
    match (taken, added) {
        (None, Some(row)) => row.try_into(),
        (taken, _) => Err(StoreError::Conflict(taken.unwrap_or(Taken::Email))),
    }
}

/// Adds a row, unless something of it belongs to another one.
async fn insert(lease: &mut Lease, row: &NewUserRow) -> Result<Option<UserRow>, StoreError> {
    // Doing nothing on a conflict, instead of failing, keeps the transaction alive.
    run!(lease, connection => async {
        diesel::insert_into(users::table)
            .values(row)
            .on_conflict_do_nothing()
            .returning(UserRow::as_returning())
            .get_result(connection)
            .await
            .optional()
    })
}

/// What of that account belongs to another one.
async fn taken(lease: &mut Lease, row: &NewUserRow) -> Result<Option<Taken>, StoreError> {
    let holders: Vec<String> = run!(lease, connection => async {
        users::table
            .filter(users::email.eq(&row.email))
            .or_filter(users::username_canonical.eq(&row.username_canonical))
            .select(users::email)
            .load(connection)
            .await
    })?;
    Ok(if holders.contains(&row.email) {
        Some(Taken::Email)
    } else {
        (!holders.is_empty()).then_some(Taken::Username)
    })
}

/// The account of that id; on Postgres its row is locked, so that it stays as
/// it is read until the transaction ends.
pub(crate) async fn by_id(lease: &mut Lease, id: UserId) -> Result<Option<User>, StoreError> {
    let user = || users::table.filter(users::id.eq(Id(id.as_uuid())));
    let row: Option<UserRow> = run!(lease,
        sqlite connection => async {
            user().select(UserRow::as_select()).get_result(connection).await.optional()
        },
        postgres connection => async {
            let user = user().select(UserRow::as_select()).for_no_key_update();
            user.get_result(connection).await.optional()
        }
    )?;
    row.map(User::try_from).transpose()
}

/// The account that an identifier names, locked like [`by_id`].
pub(crate) async fn by_identifier(
    lease: &mut Lease,
    identifier: &LoginIdentifier,
) -> Result<Option<User>, StoreError> {
    let text = identifier.canonical();
    let row: Option<UserRow> = match identifier {
        LoginIdentifier::Email(_) => {
            let user = || users::table.filter(users::email.eq(&text));
            run!(lease,
                sqlite connection => async {
                    user().select(UserRow::as_select()).get_result(connection).await.optional()
                },
                postgres connection => async {
                    let user = user().select(UserRow::as_select()).for_no_key_update();
                    user.get_result(connection).await.optional()
                }
            )?
        }
        LoginIdentifier::Username(_) => {
            let user = || users::table.filter(users::username_canonical.eq(&text));
            run!(lease,
                sqlite connection => async {
                    user().select(UserRow::as_select()).get_result(connection).await.optional()
                },
                postgres connection => async {
                    let user = user().select(UserRow::as_select()).for_no_key_update();
                    user.get_result(connection).await.optional()
                }
            )?
        }
    };
    row.map(User::try_from).transpose()
}

pub(crate) async fn is_there(lease: &mut Lease, id: UserId) -> Result<bool, StoreError> {
    run!(lease, connection => async {
        let user = users::table.filter(users::id.eq(Id(id.as_uuid())));
        diesel::select(exists(user)).get_result(connection).await
    })
}

pub(crate) async fn mark_email_verified(
    lease: &mut Lease,
    id: UserId,
    at: Timestamp,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(users::table)
            .filter(users::id.eq(Id(id.as_uuid())))
            .filter(users::email_verified_at.is_null())
            .set(users::email_verified_at.eq(At(at)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn rename(
    lease: &mut Lease,
    id: UserId,
    name: &PersonName,
    at: Timestamp,
) -> Result<(), StoreError> {
    let parts = name.parts();
    run!(lease, connection => async {
        diesel::update(users::table)
            .filter(users::id.eq(Id(id.as_uuid())))
            .set((
                users::name.eq(name.full().as_str()),
                users::first_name.eq(parts.map(|(first, _)| first.as_str())),
                users::last_name.eq(parts.map(|(_, last)| last.as_str())),
                users::updated_at.eq(At(at)),
            ))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn change_password(
    lease: &mut Lease,
    id: UserId,
    hash: &PasswordHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(users::table)
            .filter(users::id.eq(Id(id.as_uuid())))
            .set((
                users::password_hash.eq(hash.expose()),
                users::password_changed_at.eq(At(at)),
            ))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn upgrade_hash(
    lease: &mut Lease,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, StoreError> {
    let replaced = run!(lease, connection => async {
        diesel::update(users::table)
            .filter(users::id.eq(Id(id.as_uuid())))
            .filter(users::password_hash.eq(old.expose()))
            .set(users::password_hash.eq(new.expose()))
            .execute(connection)
            .await
    })?;
    Ok(replaced == 1)
}

/// Notes a login, unless the user is disabled or has another password by now.
pub(crate) async fn note_login(
    lease: &mut Lease,
    id: UserId,
    password_changed_at: Timestamp,
    at: Timestamp,
) -> Result<Option<User>, StoreError> {
    let row: Option<UserRow> = run!(lease, connection => async {
        diesel::update(users::table)
            .filter(users::id.eq(Id(id.as_uuid())))
            .filter(users::is_active)
            .filter(users::password_changed_at.eq(At(password_changed_at)))
            .set(users::last_login_at.eq(At(at)))
            .returning(UserRow::as_returning())
            .get_result(connection)
            .await
            .optional()
    })?;
    row.map(User::try_from).transpose()
}

pub(crate) async fn remove_unverified(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let stale: Vec<i64> = run!(lease, connection => async {
        users::table
            .filter(users::email_verified_at.is_null())
            .filter(users::username.is_null())
            .filter(users::created_at.lt(At(before)))
            .select(users::number)
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    // Asked again: one may have been verified since.
    let removed = run!(lease, connection => async {
        let stale = users::table
            .filter(users::number.eq_any(&stale))
            .filter(users::email_verified_at.is_null());
        diesel::delete(stale).execute(connection).await
    })?;
    Ok(removed as u64)
}
