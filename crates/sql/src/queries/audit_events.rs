//! The audit log.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{AuditEvent, StoreError, UserId};

use crate::connection::{Lease, run};
use crate::rows::AuditRow;
use crate::schema::audit_events::{self, dsl};
use crate::types::Id;

pub(crate) async fn record(lease: &mut Lease, event: &AuditEvent) -> Result<(), StoreError> {
    let row = AuditRow::from(event);
    run!(lease, connection => async {
        diesel::insert_into(audit_events::table).values(&row).execute(connection).await
    })?;
    Ok(())
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
