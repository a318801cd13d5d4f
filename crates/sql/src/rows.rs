//! Rows, and the domain's values that they stand for.

use diesel::prelude::*;
use portcullis_domain::ports::{MailboxMessage, OwedLetter};
use portcullis_domain::{
    AccountStatus, AuditEvent, Client, Email, Failures, FullName, Letter, LetterId,
    LoginIdentifier, NamePart, NewUser, OneTimeToken, PasswordHash, PersonName, SeedDigest,
    Session, SessionEnd, SessionId, SourceAddress, StoreError, TokenDigest, User, UserAgent,
    UserId, UserNumber, Username,
};

use crate::enums::Words;
use crate::error::corrupt;
use crate::schema::{
    audit_events, login_failures, mailbox, one_time_tokens, outbox, sessions, users,
};
use crate::types::{At, Id};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    number: i64,
    id: Id,
    email: String,
    email_verified_at: Option<At>,
    username: Option<String>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: String,
    password_changed_at: At,
    is_active: bool,
    created_at: At,
    updated_at: Option<At>,
    last_login_at: Option<At>,
}

#[derive(Insertable)]
#[diesel(table_name = users)]
pub(crate) struct NewUserRow {
    id: Id,
    pub(crate) email: String,
    username: Option<String>,
    pub(crate) username_canonical: Option<String>,
    name: String,
    first_name: Option<String>,
    last_name: Option<String>,
    password_hash: String,
    password_changed_at: At,
    is_active: bool,
    created_at: At,
}

impl From<&NewUser> for NewUserRow {
    fn from(user: &NewUser) -> Self {
        let parts = user.name.parts();
        Self {
            id: Id(user.id.as_uuid()),
            email: user.email.as_str().to_owned(),
            username: user.username.as_ref().map(|name| name.as_str().to_owned()),
            username_canonical: user.username.as_ref().map(Username::canonical),
            name: user.name.full().as_str().to_owned(),
            first_name: parts.map(|(first, _)| first.as_str().to_owned()),
            last_name: parts.map(|(_, last)| last.as_str().to_owned()),
            password_hash: user.password_hash.expose().to_owned(),
            password_changed_at: At(user.created_at),
            is_active: true,
            created_at: At(user.created_at),
        }
    }
}

fn person_name(
    full: &str,
    first: Option<&str>,
    last: Option<&str>,
) -> Result<PersonName, StoreError> {
    let full = FullName::parse(full).map_err(|_| corrupt("a name"))?;
    let part = |text| NamePart::parse(text).map_err(|_| corrupt("a part of a name"));
    let parts = match (first, last) {
        (Some(first), Some(last)) => Some((part(first)?, part(last)?)),
        _ => None,
    };
    Ok(PersonName::restore(full, parts))
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let username = row.username.as_deref().map(Username::parse).transpose();
        Ok(Self {
            id: UserId::new(row.id.0),
            number: UserNumber::new(row.number),
            email: Email::parse(&row.email).map_err(|_| corrupt("an e-mail address"))?,
            email_verified_at: row.email_verified_at.map(|at| at.0),
            username: username.map_err(|_| corrupt("a username"))?,
            name: person_name(&row.name, row.first_name.as_deref(), row.last_name.as_deref())?,
            password_hash: PasswordHash::new(row.password_hash),
            password_changed_at: row.password_changed_at.0,
            status: if row.is_active { AccountStatus::Active } else { AccountStatus::Disabled },
            created_at: row.created_at.0,
            updated_at: row.updated_at.map(|at| at.0),
            last_login_at: row.last_login_at.map(|at| at.0),
        })
    }
}

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

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_events)]
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

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mailbox)]
pub(crate) struct MailboxRow {
    id: Id,
    sender: String,
    recipient: String,
    subject: String,
    text_part: String,
    html_part: String,
    sent_at: At,
}

impl From<MailboxMessage> for MailboxRow {
    fn from(message: MailboxMessage) -> Self {
        Self {
            id: Id(message.id.as_uuid()),
            sender: message.from,
            recipient: message.to,
            subject: message.subject,
            text_part: message.text,
            html_part: message.html,
            sent_at: At(message.sent_at),
        }
    }
}

impl From<MailboxRow> for MailboxMessage {
    fn from(row: MailboxRow) -> Self {
        Self {
            id: LetterId::new(row.id.0),
            from: row.sender,
            to: row.recipient,
            subject: row.subject,
            text: row.text_part,
            html: row.html_part,
            sent_at: row.sent_at.0,
        }
    }
}

fn digest(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt("a digest"))
}

pub(crate) fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| corrupt("a count"))
}

fn source(text: &str) -> Result<SourceAddress, StoreError> {
    text.parse().map(SourceAddress::new).map_err(|_| corrupt("a source address"))
}
