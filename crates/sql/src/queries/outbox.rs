//! Letters.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::{Claim, Enqueued, Lease as ClaimLease, MailCap};
use portcullis_domain::{Letter, LetterId, StoreError, Timestamp};

use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::rows::{LetterRow, NewLetterRow, count};
use crate::schema::outbox::{self, dsl};
use crate::types::{At, Id};

pub(crate) async fn enqueue(
    lease: &mut Lease,
    letter: &Letter,
    cap: MailCap,
) -> Result<Enqueued, StoreError> {
    let recipient = letter.recipient.canonical();
    let since = letter.created_at - cap.window;
    let recent: i64 = run!(lease, connection => async {
        outbox::table
            .filter(dsl::recipient.eq(&recipient))
            .filter(dsl::kind.eq(letter.kind.word()))
            .filter(dsl::created_at.gt(At(since)))
            .count()
            .get_result(connection)
            .await
    })?;
    if recent >= i64::from(cap.limit) {
        return Ok(Enqueued::Capped);
    }
    let row = NewLetterRow::from(letter);
    run!(lease, connection => async {
        diesel::insert_into(outbox::table).values(&row).execute(connection).await
    })?;
    Ok(Enqueued::Owed)
}

/// Letters that are due, oldest first.
pub(crate) async fn due(
    lease: &mut Lease,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Id>, StoreError> {
    run!(lease, connection => async {
        outbox::table
            .filter(dsl::settled_at.is_null())
            .filter(dsl::buried_at.is_null())
            .filter(dsl::due_at.le(At(now)))
            .order(dsl::due_at)
            .limit(i64::from(limit))
            .select(dsl::id)
            .load(connection)
            .await
    })
}

/// Holds those letters until the lease ends.
pub(crate) async fn hold(
    lease: &mut Lease,
    ids: &[Id],
    now: Timestamp,
    claim: ClaimLease,
) -> Result<Vec<Claim>, StoreError> {
    let rows: Vec<LetterRow> = run!(lease, connection => async {
        diesel::update(outbox::table.filter(dsl::id.eq_any(ids)))
            .set((dsl::attempts.eq(dsl::attempts + 1), dsl::due_at.eq(At(now + claim.duration))))
            .returning(LetterRow::as_returning())
            .get_results(connection)
            .await
    })?;
    let mut claims = Vec::with_capacity(rows.len());
    for row in rows {
        let id = row.id;
        match claim_of(row) {
            Ok(claim) => claims.push(claim),
            // A letter that nobody can read must not hold up the others.
            Err(error) => bury(lease, LetterId::new(id.0), now, &error.to_string()).await?,
        }
    }
    Ok(claims)
}

fn claim_of(row: LetterRow) -> Result<Claim, StoreError> {
    let attempt = count(row.attempts)?;
    Ok(Claim { letter: row.try_into()?, attempt })
}

pub(crate) async fn settle(
    lease: &mut Lease,
    id: LetterId,
    at: Timestamp,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(outbox::table.find(Id(id.as_uuid())))
            .set(dsl::settled_at.eq(At(at)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn postpone(
    lease: &mut Lease,
    id: LetterId,
    due: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(outbox::table.find(Id(id.as_uuid())))
            .set((dsl::due_at.eq(At(due)), dsl::reason.eq(reason)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn bury(
    lease: &mut Lease,
    id: LetterId,
    at: Timestamp,
    reason: &str,
) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(outbox::table.find(Id(id.as_uuid())))
            .set((dsl::buried_at.eq(At(at)), dsl::reason.eq(reason)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn release(lease: &mut Lease, id: LetterId) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::update(outbox::table.find(Id(id.as_uuid())))
            .set((dsl::attempts.eq(dsl::attempts - 1), dsl::due_at.eq(dsl::created_at)))
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn remove_settled(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let old: Vec<Id> = run!(lease, connection => async {
        outbox::table
            .filter(dsl::settled_at.lt(At(before)))
            .select(dsl::id)
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    let removed = run!(lease, connection => async {
        diesel::delete(outbox::table.filter(dsl::id.eq_any(&old))).execute(connection).await
    })?;
    Ok(removed as u64)
}
