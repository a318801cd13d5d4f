//! Failure counters.

use diesel::prelude::*;
use portcullis_domain::{Failures, StoreError};

use super::count;
use crate::schema::login_failures;
use crate::types::At;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = login_failures, treat_none_as_null = true)]
pub(crate) struct FailuresRow {
    pub(crate) identifier: Vec<u8>,
    pub(crate) network: String,
    count: i64,
    last_at: At,
    locked_until: Option<At>,
}

impl FailuresRow {
    pub(crate) fn new(identifier: &[u8], network: &str, failures: Failures) -> Self {
        Self {
            identifier: identifier.to_vec(),
            network: network.to_owned(),
            count: i64::from(failures.count),
            last_at: At(failures.last_at),
            locked_until: failures.locked_until.map(At),
        }
    }
}

impl TryFrom<FailuresRow> for Failures {
    type Error = StoreError;

    fn try_from(row: FailuresRow) -> Result<Self, StoreError> {
        Ok(Self {
            count: count(row.count)?,
            last_at: row.last_at.0,
            locked_until: row.locked_until.map(|at| at.0),
        })
    }
}
