//! Letters.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::{
    Claim, Enqueued, Lease as ClaimLease, MailCap, OwedLetter, TURNS_AMONG, take_turns,
};
use portcullis_domain::{Letter, LetterId, StoreError, Timestamp};

use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::queries::queue::queue_steps;
use crate::queries::queue_on_postgres::{ClaimDue, Queue};
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

queue_steps!(outbox, LetterId);

const QUEUE: Queue = Queue { table: "outbox", turns_of: "recipient" };

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
        postgres connection => ClaimDue::of(QUEUE, now, claim, LetterRow::as_select())
            .get_results(connection)
    )?;
    let mut claims = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, attempts) = (LetterId::new(row.id.0), row.attempts);
        match claim_of(row) {
            Ok(claim) => claims.push(claim),
            // A letter that nobody can read must not hold up the others.
            Err(error) => bury(lease, id, attempts, now, &error.to_string()).await?,
        }
    }
    Ok(claims)
}

fn claim_of(row: LetterRow) -> Result<Claim, StoreError> {
    let attempt = count(row.attempts)?;
    Ok(Claim { letter: row.try_into()?, attempt })
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
