//! The development mailbox.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::StoreError;
use portcullis_domain::ports::{MAILBOX_CAPACITY, MailboxMessage};

use crate::connection::{Lease, only, run};
use crate::rows::MailboxRow;
use crate::schema::mailbox::{self, dsl};

pub(crate) async fn put(lease: &mut Lease, message: MailboxMessage) -> Result<(), StoreError> {
    let row = MailboxRow::from(message);
    let numbers: Vec<i64> = run!(lease, connection => async {
        diesel::insert_into(mailbox::table)
            .values(&row)
            .on_conflict_do_nothing()
            .returning(dsl::number)
            .get_results(connection)
            .await
    })?;
    if let Some(number) = only(numbers) {
        let oldest = number - i64::from(MAILBOX_CAPACITY);
        run!(lease, connection => async {
            diesel::delete(mailbox::table.filter(dsl::number.le(oldest))).execute(connection).await
        })?;
    }
    Ok(())
}

pub(crate) async fn list(
    lease: &mut Lease,
    to: Option<&str>,
    limit: u32,
) -> Result<Vec<MailboxMessage>, StoreError> {
    let rows: Vec<MailboxRow> = run!(lease, connection => async {
        let mut query = mailbox::table.into_boxed();
        if let Some(to) = to {
            query = query.filter(dsl::recipient.eq(to));
        }
        query
            .order(dsl::number.desc())
            .limit(i64::from(limit))
            .select(MailboxRow::as_select())
            .load(connection)
            .await
    })?;
    Ok(rows.into_iter().map(MailboxMessage::from).collect())
}

pub(crate) async fn clear(lease: &mut Lease) -> Result<(), StoreError> {
    run!(lease, connection => async {
        diesel::delete(mailbox::table).execute(connection).await
    })?;
    Ok(())
}
