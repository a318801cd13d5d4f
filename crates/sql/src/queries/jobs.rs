//! Jobs.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::ports::{JobClaim, Lease as ClaimLease, OwedJob, TURNS_AMONG, take_turns};
use portcullis_domain::{Job, JobId, NewJob, StoreError, Timestamp};

use crate::connection::{Lease, run};
use crate::queries::queue::queue_steps;
use crate::queries::queue_on_postgres::{ClaimDue, Queue};
use crate::rows::{ClaimedJobRow, NewJobRow, OwedJobRow};
use crate::schema::jobs;
use crate::types::{At, Id};

queue_steps!(jobs, JobId);

pub(crate) async fn enqueue(lease: &mut Lease, job: NewJob) -> Result<bool, StoreError> {
    let row = NewJobRow::from(job);
    let added = run!(lease, connection => async {
        diesel::insert_into(jobs::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(connection)
            .await
    })?;
    Ok(added == 1)
}

const QUEUE: Queue = Queue { table: "jobs", turns_of: "kind" };

/// Claims jobs that are due: on Postgres in one statement that passes over what
/// other workers are claiming, elsewhere under the write lock that the lease has.
pub(crate) async fn claim(
    lease: &mut Lease,
    now: Timestamp,
    claim: ClaimLease,
) -> Result<Vec<JobClaim>, StoreError> {
    let rows: Vec<ClaimedJobRow> = run!(lease,
        sqlite connection => async {
            let oldest: Vec<(Id, String)> = due(now)
                .order(jobs::due_at)
                .limit(TURNS_AMONG.into())
                .select((jobs::id, jobs::kind))
                .load(connection)
                .await?;
            let ids = take_turns(oldest, claim.limit);
            diesel::update(jobs::table.filter(jobs::id.eq_any(ids)))
                .set((
                    jobs::attempts.eq(jobs::attempts + 1),
                    jobs::due_at.eq(At(now + claim.duration)),
                ))
                .returning(ClaimedJobRow::as_returning())
                .get_results(connection)
                .await
        },
        postgres connection => ClaimDue::of(QUEUE, now, claim, ClaimedJobRow::as_select())
            .get_results(connection)
    )?;
    let mut claims = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, attempts) = (JobId::new(row.id.0), row.attempts);
        match row.try_into() {
            Ok(claim) => claims.push(claim),
            // A job that nobody can read must not hold up the others.
            Err(error) => {
                let error: StoreError = error;
                bury(lease, id, attempts, now, &error.to_string()).await?;
            }
        }
    }
    Ok(claims)
}

pub(crate) async fn keep(
    lease: &mut Lease,
    id: JobId,
    attempt: u32,
    rest: &Job,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let kept = run!(lease, connection => async {
        diesel::update(jobs::table.find(Id(id.as_uuid())))
            .filter(jobs::attempts.eq(i64::from(attempt)))
            .filter(jobs::settled_at.is_null())
            .filter(jobs::buried_at.is_null())
            .set((
                jobs::kind.eq(rest.kind()),
                jobs::payload.eq(rest.payload()),
                jobs::due_at.eq(At(until)),
            ))
            .execute(connection)
            .await
    })?;
    Ok(kept == 1)
}

pub(crate) async fn list(
    lease: &mut Lease,
    buried: bool,
    limit: u32,
) -> Result<Vec<OwedJob>, StoreError> {
    let rows: Vec<OwedJobRow> = run!(lease, connection => async {
        jobs::table
            .filter(jobs::settled_at.is_null())
            .filter(jobs::buried_at.is_not_null().eq(buried))
            .order(jobs::created_at)
            .limit(limit.into())
            .select(OwedJobRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(OwedJob::try_from).collect()
}
