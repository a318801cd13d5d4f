//! Letters.

use diesel::prelude::*;
use portcullis_domain::ports::OwedLetter;
use portcullis_domain::{Letter, LetterId, LoginIdentifier, StoreError};

use super::{count, source};
use crate::enums::Words;
use crate::error::corrupt;
use crate::schema::outbox;
use crate::types::{At, Id};

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct LetterRow {
    pub(crate) id: Id,
    kind: String,
    recipient: String,
    source: Option<String>,
    created_at: At,
    pub(crate) attempts: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct OwedLetterRow {
    #[diesel(embed)]
    letter: LetterRow,
    due_at: At,
    buried_at: Option<At>,
    reason: Option<String>,
}

impl TryFrom<OwedLetterRow> for OwedLetter {
    type Error = StoreError;

    fn try_from(row: OwedLetterRow) -> Result<Self, StoreError> {
        Ok(Self {
            attempts: count(row.letter.attempts)?,
            letter: row.letter.try_into()?,
            due_at: row.due_at.0,
            buried_at: row.buried_at.map(|at| at.0),
            reason: row.reason,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = outbox)]
pub(crate) struct NewLetterRow {
    id: Id,
    kind: String,
    recipient: String,
    source: Option<String>,
    created_at: At,
    attempts: i64,
    due_at: At,
}

impl From<&Letter> for NewLetterRow {
    fn from(letter: &Letter) -> Self {
        Self {
            id: Id(letter.id.as_uuid()),
            kind: letter.kind.word().to_owned(),
            recipient: letter.recipient.canonical(),
            source: letter.source.map(|source| source.to_string()),
            created_at: At(letter.created_at),
            attempts: 0,
            due_at: At(letter.created_at),
        }
    }
}

impl TryFrom<LetterRow> for Letter {
    type Error = StoreError;

    fn try_from(row: LetterRow) -> Result<Self, StoreError> {
        let recipient = LoginIdentifier::parse(&row.recipient);
        Ok(Self {
            id: LetterId::new(row.id.0),
            kind: Words::read(&row.kind)?,
            recipient: recipient.ok_or_else(|| corrupt("a recipient"))?,
            source: row.source.as_deref().map(source).transpose()?,
            created_at: row.created_at.0,
        })
    }
}
