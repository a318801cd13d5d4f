//! What the store holds, and the rules that a database would enforce.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use portcullis_domain::identity::Subject;
use portcullis_domain::ports::{IdentifierDigest, MailboxMessage, OwedLetter};
use portcullis_domain::{
    AuditEvent, Avatar, Device, EndReason, Entitlement, Failures, IdentityLink, IdentitySource,
    JobId, LetterId, LoginIdentifier, MAX_LIVE_SESSIONS, NewUser, OneTimeToken, Purpose, Session,
    SessionEnd, SessionId, StoreError, Taken, Timestamp, TokenDigest, User, UserId, UserNumber,
};

use crate::jobs::JobEntry;

/// A failure counter's key: an identifier from one network, or from all.
pub(crate) type CounterKey = (IdentifierDigest, Option<IpAddr>);

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) last_number: i64,
    pub(crate) sessions: HashMap<SessionId, Session>,
    pub(crate) one_time_tokens: HashMap<(TokenDigest, Purpose), OneTimeToken>,
    pub(crate) failures: HashMap<CounterKey, Failures>,
    pub(crate) outbox: BTreeMap<LetterId, OutboxEntry>,
    pub(crate) jobs: BTreeMap<JobId, JobEntry>,
    pub(crate) audit: Vec<AuditEvent>,
    pub(crate) mailbox: Vec<MailboxMessage>,
    pub(crate) identity_links: HashMap<(IdentitySource, Subject), IdentityLink>,
    pub(crate) devices: HashMap<TokenDigest, Device>,
    pub(crate) avatars: HashMap<UserId, Avatar>,
    pub(crate) entitlements: Vec<Entitlement>,
}

/// A letter and how far it has come.
#[derive(Clone, Debug)]
pub(crate) struct OutboxEntry {
    pub(crate) owed: OwedLetter,
    pub(crate) settled_at: Option<Timestamp>,
}

impl OutboxEntry {
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.settled_at.is_none() && self.owed.buried_at.is_none() && self.owed.due_at <= now
    }
}

impl State {
    pub(crate) fn add_user(&mut self, user: NewUser) -> Result<User, StoreError> {
        if self.users.values().any(|other| other.email == user.email) {
            return Err(StoreError::Conflict(Taken::Email));
        }
        let has_name = |other: &User| other.username.is_some() && other.username == user.username;
        if self.users.values().any(has_name) {
            return Err(StoreError::Conflict(Taken::Username));
        }
        self.last_number += 1;
        let user = user.numbered(UserNumber::new(self.last_number));
        self.users.insert(user.id, user.clone());
        Ok(user)
    }

    pub(crate) fn user_by_identifier(&self, identifier: &LoginIdentifier) -> Option<&User> {
        self.users.values().find(|user| match identifier {
            LoginIdentifier::Email(email) => user.email == *email,
            LoginIdentifier::Username(username) => user.username.as_ref() == Some(username),
        })
    }

    /// Removes a user and everything that hangs on them.
    pub(crate) fn remove_user(&mut self, id: UserId) {
        self.users.remove(&id);
        self.sessions.retain(|_, session| session.user_id != id);
        self.one_time_tokens.retain(|_, token| token.user_id != id);
        self.audit.retain(|event| event.user != Some(id));
        self.identity_links.retain(|_, link| link.user != id);
        self.devices.retain(|_, device| device.user != id);
        self.avatars.remove(&id);
        self.entitlements.retain(|entitlement| entitlement.user != id);
    }

    /// Ends the oldest live sessions that are too many with one that is about to
    /// open; says how many.
    pub(crate) fn displace_sessions(&mut self, opening: &Session) -> u64 {
        let end = SessionEnd { at: opening.opened_at, reason: EndReason::Displaced };
        let is_other_live =
            |session: &&mut Session| session.user_id == opening.user_id && session.is_live(end.at);
        let mut live: Vec<_> = self.sessions.values_mut().filter(is_other_live).collect();
        live.sort_by_key(|session| Reverse((session.opened_at, session.id.as_uuid())));
        let mut displaced = 0;
        for session in live.into_iter().skip(MAX_LIVE_SESSIONS - 1) {
            session.end = Some(end);
            displaced += 1;
        }
        displaced
    }

    /// Ends a session if it is that user's and live; says whether it did.
    pub(crate) fn end_session(&mut self, id: SessionId, user: UserId, end: SessionEnd) -> bool {
        match self.sessions.get_mut(&id) {
            Some(session) if session.user_id == user && session.is_live(end.at) => {
                session.end = Some(end);
                true
            }
            _ => false,
        }
    }
}
