//! Letters.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::{
    Claim, Enqueued, Lease as ClaimLease, MailCap, OwedLetter, TURNS_AMONG, take_turns,
};
use portcullis_domain::{Letter, LetterId, StoreError, Timestamp};

use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::queries::outbox_on_postgres;
use crate::rows::{LetterRow, NewLetterRow, OwedLetterRow, count};
use crate::schema::outbox::{self, dsl};
use crate::types::{At, Id};

pub(crate) async fn enqueue(
    lease: &mut Lease,
    letter: &Letter,
    cap: MailCap,
) -> Result<Enqueued, StoreError> {
    let recipient = letter.recipient.canonical();
    let since = letter.created_at - cap.window;
    alone_with(lease, &recipient).await?;
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

/// Waits, until the transaction ends, for others that write to that recipient:
/// two of them must not both count before either has written. `SQLite` has one
/// writer as it is.
async fn alone_with(lease: &mut Lease, recipient: &str) -> Result<(), StoreError> {
    run!(lease,
        sqlite _connection => std::future::ready(Ok(0)),
        postgres connection => diesel::select(advisory_lock(hash(recipient, RECIPIENTS)))
            .execute(connection)
    )?;
    Ok(())
}

/// Keeps these locks apart from any others that are made of a hash.
const RECIPIENTS: i64 = 1;

#[diesel::declare_sql_function]
extern "SQL" {
    #[sql_name = "pg_advisory_xact_lock"]
    fn advisory_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
    #[sql_name = "hashtextextended"]
    fn hash(
        text: diesel::sql_types::Text,
        seed: diesel::sql_types::BigInt,
    ) -> diesel::sql_types::BigInt;
}

/// Whether any letter is due: a look that locks nothing.
pub(crate) async fn is_any_due(lease: &mut Lease, now: Timestamp) -> Result<bool, StoreError> {
    run!(lease, connection => async {
        diesel::select(exists(due(now))).get_result(connection).await
    })
}

#[diesel::dsl::auto_type(no_type_alias)]
fn due(now: Timestamp) -> _ {
    let now: At = At(now);
    outbox::table
        .filter(dsl::settled_at.is_null())
        .filter(dsl::buried_at.is_null())
        .filter(dsl::due_at.le(now))
}

/// Claims letters that are due: on Postgres in one statement that passes over
/// what other workers are claiming, elsewhere under the write lock that the
/// lease has.
pub(crate) async fn claim(
    lease: &mut Lease,
    now: Timestamp,
    claim: ClaimLease,
) -> Result<Vec<Claim>, StoreError> {
    let rows: Vec<LetterRow> = run!(lease,
        sqlite connection => async {
            let oldest: Vec<(Id, String)> = due(now)
                .order(dsl::due_at)
                .limit(TURNS_AMONG.into())
                .select((dsl::id, dsl::recipient))
                .load(connection)
                .await?;
            let ids = take_turns(oldest, claim.limit);
            diesel::update(outbox::table.filter(dsl::id.eq_any(ids)))
                .set((
                    dsl::attempts.eq(dsl::attempts + 1),
                    dsl::due_at.eq(At(now + claim.duration)),
                ))
                .returning(LetterRow::as_returning())
                .get_results(connection)
                .await
        },
        postgres connection => outbox_on_postgres::claim(connection, now, claim)
    )?;
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

pub(crate) async fn list(
    lease: &mut Lease,
    buried: bool,
    limit: u32,
) -> Result<Vec<OwedLetter>, StoreError> {
    let rows: Vec<OwedLetterRow> = run!(lease, connection => async {
        outbox::table
            .filter(dsl::settled_at.is_null())
            .filter(dsl::buried_at.is_not_null().eq(buried))
            .order(dsl::created_at)
            .limit(limit.into())
            .select(OwedLetterRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(OwedLetter::try_from).collect()
}

pub(crate) async fn revive(
    lease: &mut Lease,
    id: LetterId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let revived = run!(lease, connection => async {
        diesel::update(outbox::table.find(Id(id.as_uuid())))
            .filter(dsl::buried_at.is_not_null())
            .set((dsl::buried_at.eq(None::<At>), dsl::due_at.eq(At(at))))
            .execute(connection)
            .await
    })?;
    Ok(revived == 1)
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
