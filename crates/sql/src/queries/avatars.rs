//! Where pictures lie.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{Avatar, StoreError, UserId};

use crate::connection::{Lease, only, run};
use crate::rows::AvatarRow;
use crate::schema::avatars::{self, dsl};
use crate::types::Id;

pub(crate) async fn set(lease: &mut Lease, avatar: &Avatar) -> Result<(), StoreError> {
    let row = AvatarRow::from(avatar);
    run!(lease, connection => async {
        diesel::insert_into(avatars::table)
            .values(&row)
            .on_conflict(dsl::user_id)
            .do_update()
            .set(&row)
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn remove(lease: &mut Lease, user: UserId) -> Result<Option<Avatar>, StoreError> {
    let rows: Vec<AvatarRow> = run!(lease, connection => async {
        diesel::delete(avatars::table.filter(dsl::user_id.eq(Id(user.as_uuid()))))
            .returning(AvatarRow::as_returning())
            .get_results(connection)
            .await
    })?;
    only(rows).map(Avatar::try_from).transpose()
}

pub(crate) async fn of_user(lease: &mut Lease, user: UserId) -> Result<Option<Avatar>, StoreError> {
    let row: Option<AvatarRow> = run!(lease, connection => async {
        avatars::table
            .filter(dsl::user_id.eq(Id(user.as_uuid())))
            .select(AvatarRow::as_select())
            .get_result(connection)
            .await
            .optional()
    })?;
    row.map(Avatar::try_from).transpose()
}
