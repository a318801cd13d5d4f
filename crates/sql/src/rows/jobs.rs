//! Jobs.

use diesel::prelude::*;
use portcullis_domain::ports::{JobClaim, OwedJob};
use portcullis_domain::{Job, JobId, NewJob, StoreError};

use super::count;
use crate::schema::jobs;
use crate::types::{At, Id};

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub(crate) struct ClaimedJobRow {
    pub(crate) id: Id,
    kind: String,
    payload: String,
    created_at: At,
    pub(crate) attempts: i64,
}

impl TryFrom<ClaimedJobRow> for JobClaim {
    type Error = StoreError;

    fn try_from(row: ClaimedJobRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: JobId::new(row.id.0),
            job: Job::read(&row.kind, &row.payload),
            created_at: row.created_at.0,
            attempt: count(row.attempts)?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub(crate) struct OwedJobRow {
    #[diesel(embed)]
    claimed: ClaimedJobRow,
    due_at: At,
    buried_at: Option<At>,
    reason: Option<String>,
}

impl TryFrom<OwedJobRow> for OwedJob {
    type Error = StoreError;

    fn try_from(row: OwedJobRow) -> Result<Self, StoreError> {
        let JobClaim { id, job, created_at, attempt } = row.claimed.try_into()?;
        Ok(Self {
            id,
            job,
            created_at,
            attempts: attempt,
            due_at: row.due_at.0,
            buried_at: row.buried_at.map(|at| at.0),
            reason: row.reason,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = jobs)]
pub(crate) struct NewJobRow {
    id: Id,
    kind: &'static str,
    payload: String,
    key: Option<String>,
    created_at: At,
    attempts: i64,
    due_at: At,
}

impl From<NewJob> for NewJobRow {
    fn from(new: NewJob) -> Self {
        Self {
            id: Id(new.id.as_uuid()),
            kind: new.job.kind(),
            payload: new.job.payload(),
            key: new.key,
            created_at: At(new.created_at),
            attempts: 0,
            due_at: At(new.created_at),
        }
    }
}
