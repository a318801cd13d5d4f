//! The audit log.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{AuditEvent, StoreError, Timestamp, UserId};

use crate::connection::{Lease, run};
use crate::rows::AuditRow;
use crate::schema::audit_events::{self, dsl};
use crate::types::{At, Id};

pub(crate) async fn record(lease: &mut Lease, event: &AuditEvent) -> Result<(), StoreError> {
    let row = AuditRow::from(event);
    run!(lease, connection => async {
        diesel::insert_into(audit_events::table).values(&row).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn remove_old(
    lease: &mut Lease,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    // Entries are numbered as they happen, so the oldest have the lowest numbers.
    let old: Vec<i64> = run!(lease, connection => async {
        audit_events::table
            .filter(dsl::at.lt(At(before)))
            .order(dsl::number)
            .select(dsl::number)
            .limit(i64::from(limit))
            .load(connection)
            .await
    })?;
    let removed = run!(lease, connection => async {
        diesel::delete(audit_events::table.filter(dsl::number.eq_any(&old)))
            .execute(connection)
            .await
    })?;
    Ok(removed as u64)
}

pub(crate) async fn of_user(
    lease: &mut Lease,
    user: UserId,
    limit: u32,
) -> Result<Vec<AuditEvent>, StoreError> {
    let rows: Vec<AuditRow> = run!(lease, connection => async {
        audit_events::table
            .filter(dsl::user_id.eq(Id(user.as_uuid())))
            .order(dsl::number.desc())
            .limit(i64::from(limit))
            .select(AuditRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(AuditEvent::try_from).collect()
}
