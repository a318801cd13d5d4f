//! One-time tokens.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{OneTimeToken, Purpose, StoreError, Timestamp, TokenDigest, UserId};

use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::rows::OneTimeTokenRow;
use crate::schema::one_time_tokens::{self, dsl};
use crate::types::{At, Id};

pub(crate) async fn add(lease: &mut Lease, token: &OneTimeToken) -> Result<(), StoreError> {
    let row = OneTimeTokenRow::from(token);
    run!(lease, connection => async {
        diesel::insert_into(one_time_tokens::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn find(
    lease: &mut Lease,
    digest: TokenDigest,
    purpose: Purpose,
) -> Result<Option<OneTimeToken>, StoreError> {
    let row: Option<OneTimeTokenRow> = run!(lease, connection => async {
        one_time_tokens::table
            .filter(dsl::digest.eq(digest.0.as_slice()))
            .filter(dsl::purpose.eq(purpose.word()))
            .select(OneTimeTokenRow::as_select())
            .get_result(connection)
            .await
            .optional()
    })?;
    row.map(OneTimeToken::try_from).transpose()
}

pub(crate) async fn consume(
    lease: &mut Lease,
    digest: TokenDigest,
    purpose: Purpose,
    now: Timestamp,
) -> Result<Option<OneTimeToken>, StoreError> {
    let row: Option<OneTimeTokenRow> = run!(lease, connection => async {
        diesel::update(one_time_tokens::table)
            .filter(dsl::digest.eq(digest.0.as_slice()))
            .filter(dsl::purpose.eq(purpose.word()))
            .filter(dsl::used_at.is_null())
            .filter(dsl::expires_at.gt(At(now)))
            .set(dsl::used_at.eq(At(now)))
            .returning(OneTimeTokenRow::as_returning())
            .get_result(connection)
            .await
            .optional()
    })?;
    row.map(OneTimeToken::try_from).transpose()
}

pub(crate) async fn spend_all(
    lease: &mut Lease,
    user: UserId,
    purpose: Purpose,
    at: Timestamp,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(one_time_tokens::table)
            .filter(dsl::user_id.eq(Id(user.as_uuid())))
            .filter(dsl::purpose.eq(purpose.word()))
            .filter(dsl::used_at.is_null())
            .set(dsl::used_at.eq(At(at)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn remove_expired(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let old: Vec<Vec<u8>> = run!(lease, connection => async {
        one_time_tokens::table
            .filter(dsl::expires_at.lt(At(before)))
            .select(dsl::digest)
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    let removed = run!(lease, connection => async {
        let old = one_time_tokens::table.filter(dsl::digest.eq_any(&old));
        diesel::delete(old).execute(connection).await
    })?;
    Ok(removed as u64)
}
