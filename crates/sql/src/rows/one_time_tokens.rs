//! One-time tokens.

use diesel::prelude::*;
use portcullis_domain::{OneTimeToken, StoreError, TokenDigest, UserId};

use super::digest;
use crate::enums::Words;
use crate::schema::one_time_tokens;
use crate::types::{At, Id};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = one_time_tokens)]
pub(crate) struct OneTimeTokenRow {
    digest: Vec<u8>,
    purpose: String,
    user_id: Id,
    created_at: At,
    expires_at: At,
    used_at: Option<At>,
}

impl From<&OneTimeToken> for OneTimeTokenRow {
    fn from(token: &OneTimeToken) -> Self {
        Self {
            digest: token.digest.0.to_vec(),
            purpose: token.purpose.word().to_owned(),
            user_id: Id(token.user_id.as_uuid()),
            created_at: At(token.created_at),
            expires_at: At(token.expires_at),
            used_at: token.used_at.map(At),
        }
    }
}

impl TryFrom<OneTimeTokenRow> for OneTimeToken {
    type Error = StoreError;

    fn try_from(row: OneTimeTokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            digest: TokenDigest(digest(row.digest)?),
            purpose: Words::read(&row.purpose)?,
            user_id: UserId::new(row.user_id.0),
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
            used_at: row.used_at.map(|at| at.0),
        })
    }
}
