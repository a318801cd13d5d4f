//! Devices that notices go to.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{Device, MAX_DEVICES, StoreError, TokenDigest, UserId};

use crate::connection::{Lease, run};
use crate::rows::DeviceRow;
use crate::schema::devices::{self, dsl};
use crate::types::Id;

/// Within a transaction that holds the owner's row: registrations of one owner
/// follow each other.
pub(crate) async fn register(lease: &mut Lease, device: &Device) -> Result<(), StoreError> {
    let (row, user) = (DeviceRow::from(device), Id(device.user.as_uuid()));
    run!(lease, connection => async {
        diesel::insert_into(devices::table)
            .values(&row)
            .on_conflict(dsl::digest)
            .do_update()
            .set(&row)
            .execute(connection)
            .await
    })?;
    let surplus: Vec<Vec<u8>> = run!(lease, connection => async {
        devices::table
            .filter(dsl::user_id.eq(user))
            .order((dsl::registered_at.desc(), dsl::digest))
            .offset(i64::from(MAX_DEVICES))
            // SQLite knows no offset without a limit.
            .limit(i64::from(u32::MAX))
            .select(dsl::digest)
            .load(connection)
            .await
    })?;
    if surplus.is_empty() {
        return Ok(());
    }
    run!(lease, connection => async {
        // Still theirs: another account may have registered one meanwhile.
        let surplus = devices::table.filter(dsl::digest.eq_any(&surplus)).filter(dsl::user_id.eq(user));
        diesel::delete(surplus).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn forget(
    lease: &mut Lease,
    user: UserId,
    digest: TokenDigest,
) -> Result<bool, StoreError> {
    let removed = run!(lease, connection => async {
        let device = devices::table
            .filter(dsl::digest.eq(digest.0.as_slice()))
            .filter(dsl::user_id.eq(Id(user.as_uuid())));
        diesel::delete(device).execute(connection).await
    })?;
    Ok(removed == 1)
}

pub(crate) async fn forget_all(
    lease: &mut Lease,
    digests: &[TokenDigest],
) -> Result<(), StoreError> {
    let digests: Vec<_> = digests.iter().map(|digest| digest.0.as_slice()).collect();
    run!(lease, connection => async {
        let gone = devices::table.filter(dsl::digest.eq_any(digests));
        diesel::delete(gone).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn forget_all_of(lease: &mut Lease, user: UserId) -> Result<(), StoreError> {
    run!(lease, connection => async {
        let theirs = devices::table.filter(dsl::user_id.eq(Id(user.as_uuid())));
        diesel::delete(theirs).execute(connection).await
    })?;
    Ok(())
}

pub(crate) async fn of_user(lease: &mut Lease, user: UserId) -> Result<Vec<Device>, StoreError> {
    let rows: Vec<DeviceRow> = run!(lease, connection => async {
        devices::table
            .filter(dsl::user_id.eq(Id(user.as_uuid())))
            .order((dsl::registered_at.desc(), dsl::digest))
            .select(DeviceRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(Device::try_from).collect()
}
