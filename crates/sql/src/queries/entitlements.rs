//! Who bought what.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::{Entitlement, PurchaseState, StoreError, UserId};

use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::rows::{EntitlementRow, PurchaseStateRow};
use crate::schema::entitlements::{self, dsl};
use crate::types::Id;

/// Adds a purchase, unless it is there; says whether it was added.
pub(crate) async fn add(lease: &mut Lease, entitlement: &Entitlement) -> Result<bool, StoreError> {
    let row = EntitlementRow::from(entitlement);
    let added = run!(lease, connection => async {
        diesel::insert_into(entitlements::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(connection)
            .await
    })?;
    Ok(added == 1)
}

/// A purchase, which on Postgres nobody else changes before this transaction ends.
pub(crate) async fn find(
    lease: &mut Lease,
    state: &PurchaseState,
) -> Result<Option<Entitlement>, StoreError> {
    let purchase = || {
        entitlements::table
            .filter(dsl::environment.eq(state.environment.word()))
            .filter(dsl::purchase.eq(state.purchase.as_str()))
    };
    let row: Option<EntitlementRow> = run!(lease,
        sqlite connection => async {
            purchase().select(EntitlementRow::as_select()).get_result(connection).await.optional()
        },
        postgres connection => async {
            let purchase = purchase().select(EntitlementRow::as_select()).for_update();
            purchase.get_result(connection).await.optional()
        }
    )?;
    row.map(Entitlement::try_from).transpose()
}

pub(crate) async fn update(lease: &mut Lease, state: &PurchaseState) -> Result<(), StoreError> {
    let row = PurchaseStateRow::from(state);
    run!(lease, connection => async {
        diesel::update(entitlements::table)
            .filter(dsl::environment.eq(state.environment.word()))
            .filter(dsl::purchase.eq(state.purchase.as_str()))
            .set(&row)
            .execute(connection)
            .await
    })?;
    Ok(())
}

pub(crate) async fn of_user(
    lease: &mut Lease,
    user: UserId,
) -> Result<Vec<Entitlement>, StoreError> {
    let rows: Vec<EntitlementRow> = run!(lease, connection => async {
        entitlements::table
            .filter(dsl::user_id.eq(Id(user.as_uuid())))
            .order((dsl::purchased_at.desc(), dsl::purchase))
            .select(EntitlementRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(Entitlement::try_from).collect()
}
