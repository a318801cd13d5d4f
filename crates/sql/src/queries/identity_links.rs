//! Who users are elsewhere.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use portcullis_domain::identity::Subject;
use portcullis_domain::{IdentityLink, IdentitySource, StoreError, User, UserId};

use super::users;
use crate::connection::{Lease, run};
use crate::enums::Words;
use crate::rows::IdentityLinkRow;
use crate::schema::identity_links::{self, dsl};
use crate::types::Id;

pub(crate) async fn user_of(
    lease: &mut Lease,
    source: IdentitySource,
    subject: &Subject,
) -> Result<Option<User>, StoreError> {
    let user: Option<Id> = run!(lease, connection => async {
        identity_links::table
            .filter(dsl::source.eq(source.word()))
            .filter(dsl::subject.eq(subject.as_str()))
            .select(dsl::user_id)
            .get_result(connection)
            .await
            .optional()
    })?;
    match user {
        // With its lock, as every account that a unit reads.
        Some(id) => users::by_id(lease, UserId::new(id.0)).await,
        None => Ok(None),
    }
}

pub(crate) async fn link(lease: &mut Lease, link: &IdentityLink) -> Result<bool, StoreError> {
    let row = IdentityLinkRow::from(link);
    let added = run!(lease, connection => async {
        diesel::insert_into(identity_links::table)
            .values(&row)
            .on_conflict_do_nothing()
            .execute(connection)
            .await
    })?;
    Ok(added == 1)
}
