//! A caller as it is written down.

use std::net::IpAddr;

use portcullis_domain::ports::Caller;
use portcullis_domain::{
    AccountStatus, Client, Contract, Email, FullName, NamePart, PasswordHash, PersonName,
    SeedDigest, Session, SessionId, SourceAddress, Timestamp, User, UserAgent, UserId, UserNumber,
    Username,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Only sessions that have not ended are written down.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    session: SessionRecord,
    user: UserRecord,
}

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    id: Uuid,
    is_form: bool,
    rotates: bool,
    seed_digest: [u8; 32],
    counter: u32,
    opened_at: i64,
    rotated_at: i64,
    last_used_at: i64,
    expires_at: i64,
    source: IpAddr,
    user_agent: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct UserRecord {
    id: Uuid,
    number: i64,
    email: String,
    email_verified_at: Option<i64>,
    username: Option<String>,
    name: String,
    parts: Option<(String, String)>,
    password_hash: String,
    password_changed_at: i64,
    is_active: bool,
    created_at: i64,
    updated_at: Option<i64>,
    last_login_at: Option<i64>,
}

impl Record {
    pub(super) fn of(caller: &Caller) -> Self {
        let Caller { session, user } = caller;
        let text = |part: &NamePart| part.as_str().to_owned();
        Self {
            session: SessionRecord {
                id: session.id.as_uuid(),
                is_form: session.contract == Contract::Form,
                rotates: session.rotates,
                seed_digest: session.seed_digest.0,
                counter: session.counter,
                opened_at: session.opened_at.as_micros(),
                rotated_at: session.rotated_at.as_micros(),
                last_used_at: session.last_used_at.as_micros(),
                expires_at: session.expires_at.as_micros(),
                source: session.client.source.address(),
                user_agent: session.client.user_agent.as_ref().map(|agent| agent.as_str().into()),
            },
            user: UserRecord {
                id: user.id.as_uuid(),
                number: user.number.get(),
                email: user.email.as_str().to_owned(),
                email_verified_at: user.email_verified_at.map(Timestamp::as_micros),
                username: user.username.as_ref().map(|name| name.as_str().to_owned()),
                name: user.name.full().as_str().to_owned(),
                parts: user.name.parts().map(|(first, last)| (text(first), text(last))),
                password_hash: user.password_hash.expose().to_owned(),
                password_changed_at: user.password_changed_at.as_micros(),
                is_active: user.is_active(),
                created_at: user.created_at.as_micros(),
                updated_at: user.updated_at.map(Timestamp::as_micros),
                last_login_at: user.last_login_at.map(Timestamp::as_micros),
            },
        }
    }

    /// The caller again; `None` for what breaks today's rules.
    pub(super) fn restore(self) -> Option<Caller> {
        let Self { session, user } = self;
        let at = Timestamp::from_micros;
        let parts = match user.parts {
            Some((first, last)) => {
                Some((NamePart::parse(&first).ok()?, NamePart::parse(&last).ok()?))
            }
            None => None,
        };
        let username = user.username.as_deref().map(Username::parse).transpose();
        let user_id = UserId::new(user.id);
        Some(Caller {
            session: Session {
                id: SessionId::new(session.id),
                user_id,
                contract: if session.is_form { Contract::Form } else { Contract::Json },
                rotates: session.rotates,
                seed_digest: SeedDigest(session.seed_digest),
                counter: session.counter,
                opened_at: at(session.opened_at),
                rotated_at: at(session.rotated_at),
                last_used_at: at(session.last_used_at),
                expires_at: at(session.expires_at),
                end: None,
                client: Client {
                    source: SourceAddress::new(session.source),
                    user_agent: session.user_agent.as_deref().map(UserAgent::new),
                },
            },
            user: User {
                id: user_id,
                number: UserNumber::new(user.number),
                email: Email::parse(&user.email).ok()?,
                email_verified_at: user.email_verified_at.map(at),
                username: username.ok()?,
                name: PersonName::restore(FullName::parse(&user.name).ok()?, parts),
                password_hash: PasswordHash::new(user.password_hash),
                password_changed_at: at(user.password_changed_at),
                status: if user.is_active {
                    AccountStatus::Active
                } else {
                    AccountStatus::Disabled
                },
                created_at: at(user.created_at),
                updated_at: user.updated_at.map(at),
                last_login_at: user.last_login_at.map(at),
            },
        })
    }
}
