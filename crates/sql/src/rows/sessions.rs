//! Sessions.

use diesel::prelude::*;
use portcullis_domain::{
    Client, SeedDigest, Session, SessionEnd, SessionId, StoreError, UserAgent, UserId,
};

use super::{count, digest, source};
use crate::enums::Words;
use crate::error::corrupt;
use crate::schema::sessions;
use crate::types::{At, Id};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    pub(crate) id: Id,
    pub(crate) user_id: Id,
    pub(crate) contract: String,
    pub(crate) rotates: bool,
    pub(crate) seed_digest: Vec<u8>,
    pub(crate) counter: i64,
    pub(crate) opened_at: At,
    pub(crate) rotated_at: At,
    pub(crate) last_used_at: At,
    pub(crate) expires_at: At,
    pub(crate) ended_at: Option<At>,
    pub(crate) end_reason: Option<String>,
    pub(crate) source: String,
    pub(crate) user_agent: Option<String>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            id: Id(session.id.as_uuid()),
            user_id: Id(session.user_id.as_uuid()),
            contract: session.contract.word().to_owned(),
            rotates: session.rotates,
            seed_digest: session.seed_digest.0.to_vec(),
            counter: i64::from(session.counter),
            opened_at: At(session.opened_at),
            rotated_at: At(session.rotated_at),
            last_used_at: At(session.last_used_at),
            expires_at: At(session.expires_at),
            ended_at: session.end.map(|end| At(end.at)),
            end_reason: session.end.map(|end| end.reason.word().to_owned()),
            source: session.client.source.to_string(),
            user_agent: session.client.user_agent.as_ref().map(|agent| agent.as_str().to_owned()),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let end = match (row.ended_at, row.end_reason) {
            (Some(at), Some(reason)) => {
                Some(SessionEnd { at: at.0, reason: Words::read(&reason)? })
            }
            (None, None) => None,
            _ => return Err(corrupt("a session's end")),
        };
        Ok(Self {
            id: SessionId::new(row.id.0),
            user_id: UserId::new(row.user_id.0),
            contract: Words::read(&row.contract)?,
            rotates: row.rotates,
            seed_digest: SeedDigest(digest(row.seed_digest)?),
            counter: count(row.counter)?,
            opened_at: row.opened_at.0,
            rotated_at: row.rotated_at.0,
            last_used_at: row.last_used_at.0,
            expires_at: row.expires_at.0,
            end,
            client: Client {
                source: source(&row.source)?,
                user_agent: row.user_agent.as_deref().map(UserAgent::new),
            },
        })
    }
}
