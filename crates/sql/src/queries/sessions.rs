//! Sessions.

use diesel::dsl::{case_when, exists};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::Caller;
use portcullis_domain::{
    EndReason, MAX_LIVE_SESSIONS, SeedDigest, Session, SessionEnd, SessionId, StoreError,
    Timestamp, UserId,
};

use crate::connection::{Lease, only, run};
use crate::enums::Words;
use crate::rows::{SessionRow, UserRow};
use crate::schema::{sessions, users};
use crate::types::{At, Id};

pub(crate) async fn open(lease: &mut Lease, session: &Session) -> Result<(), StoreError> {
    let row = SessionRow::from(session);
    run!(lease, connection => async {
        diesel::insert_into(sessions::table).values(&row).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn caller(lease: &mut Lease, id: SessionId) -> Result<Option<Caller>, StoreError> {
    let rows: Option<(SessionRow, UserRow)> = run!(lease, connection => async {
        sessions::table
            .inner_join(users::table.on(users::id.eq(sessions::user_id)))
            .filter(sessions::id.eq(Id(id.as_uuid())))
            .select((SessionRow::as_select(), UserRow::as_select()))
            .get_result(connection)
            .await
            .optional()
    })?;
    let Some((session, user)) = rows else { return Ok(None) };
    Ok(Some(Caller { session: session.try_into()?, user: user.try_into()? }))
}

pub(crate) async fn advance(
    lease: &mut Lease,
    id: SessionId,
    counter: u32,
    seed: SeedDigest,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let active_user =
        || users::table.filter(users::id.eq(sessions::user_id)).filter(users::is_active);
    let rows: Vec<SessionRow> = run!(lease, connection => async {
        diesel::update(sessions::table)
            .filter(sessions::id.eq(Id(id.as_uuid())))
            .filter(sessions::counter.eq(i64::from(counter)))
            .filter(sessions::seed_digest.eq(seed.0.as_slice()))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::expires_at.gt(At(now)))
            .filter(exists(active_user()))
            .set((
                sessions::counter.eq(
                    case_when(sessions::rotates, sessions::counter + 1)
                        .otherwise(sessions::counter),
                ),
                sessions::rotated_at.eq(At(now)),
                sessions::last_used_at.eq(At(now)),
            ))
            .returning(SessionRow::as_returning())
            .get_results(connection)
            .await
    })?;
    only(rows).map(Session::try_from).transpose()
}

/// Ends that user's session if it is live.
pub(crate) async fn end(
    lease: &mut Lease,
    id: SessionId,
    user: UserId,
    end: SessionEnd,
) -> Result<bool, StoreError> {
    let ended = run!(lease, connection => async {
        diesel::update(sessions::table)
            .filter(sessions::id.eq(Id(id.as_uuid())))
            .filter(sessions::user_id.eq(Id(user.as_uuid())))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::expires_at.gt(At(end.at)))
            .set((
                sessions::ended_at.eq(At(end.at)),
                sessions::end_reason.eq(end.reason.word()),
            ))
            .execute(connection)
            .await
    })?;
    Ok(ended == 1)
}

/// Ends all of a user's live sessions.
pub(crate) async fn end_all(
    lease: &mut Lease,
    user: UserId,
    end: SessionEnd,
) -> Result<u64, StoreError> {
    let ended = run!(lease, connection => async {
        diesel::update(sessions::table)
            .filter(sessions::user_id.eq(Id(user.as_uuid())))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::expires_at.gt(At(end.at)))
            .set((
                sessions::ended_at.eq(At(end.at)),
                sessions::end_reason.eq(end.reason.word()),
            ))
            .execute(connection)
            .await
    })?;
    Ok(ended as u64)
}

/// Ends the oldest live sessions of a user who has too many with the one that
/// was just opened. In a transaction that keeps other logins of the user out.
pub(crate) async fn displace(lease: &mut Lease, opened: &Session) -> Result<u64, StoreError> {
    let newest_first: Vec<Id> = run!(lease, connection => async {
        sessions::table
            .filter(sessions::user_id.eq(Id(opened.user_id.as_uuid())))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::expires_at.gt(At(opened.opened_at)))
            .filter(sessions::id.ne(Id(opened.id.as_uuid())))
            .select(sessions::id)
            .order((sessions::opened_at.desc(), sessions::id.desc()))
            .load(connection)
            .await
    })?;
    let Some(too_many) = newest_first.get(MAX_LIVE_SESSIONS - 1..).filter(|ids| !ids.is_empty())
    else {
        return Ok(0);
    };
    let displaced = run!(lease, connection => async {
        diesel::update(sessions::table.filter(sessions::id.eq_any(too_many)))
            .set((
                sessions::ended_at.eq(At(opened.opened_at)),
                sessions::end_reason.eq(EndReason::Displaced.word()),
            ))
            .execute(connection)
            .await
    })?;
    Ok(displaced as u64)
}

pub(crate) async fn remove_expired(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let old: Vec<Id> = run!(lease, connection => async {
        sessions::table
            .filter(sessions::expires_at.lt(At(before)))
            .select(sessions::id)
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    let removed = run!(lease, connection => async {
        diesel::delete(sessions::table.filter(sessions::id.eq_any(&old))).execute(connection).await
    })?;
    Ok(removed as u64)
}
