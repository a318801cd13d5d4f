//! Entries of the audit log.

use diesel::prelude::*;
use portcullis_domain::{AuditEvent, SessionId, StoreError, UserId};

use super::source;
use crate::enums::Words;
use crate::schema::audit_events;
use crate::types::{At, Id};

/// One statement writes all entries, with a user or without: which of them it is
/// must not be seen in the time.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    kind: String,
    at: At,
    user_id: Option<Id>,
    session_id: Option<Id>,
    source: Option<String>,
}

impl From<&AuditEvent> for AuditRow {
    fn from(event: &AuditEvent) -> Self {
        Self {
            kind: event.kind.word().to_owned(),
            at: At(event.at),
            user_id: event.user.map(|user| Id(user.as_uuid())),
            session_id: event.session.map(|session| Id(session.as_uuid())),
            source: event.source.map(|source| source.to_string()),
        }
    }
}

impl TryFrom<AuditRow> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Words::read(&row.kind)?,
            at: row.at.0,
            user: row.user_id.map(|id| UserId::new(id.0)),
            session: row.session_id.map(|id| SessionId::new(id.0)),
            source: row.source.as_deref().map(source).transpose()?,
        })
    }
}
