//! Units of work: a copy of the state that replaces it at commit.

use async_trait::async_trait;
use portcullis_domain::ports::OwedLetter;
use portcullis_domain::ports::{
    Audit, Devices, Enqueued, IdentifierDigest, IdentityLinks, Lockouts, MailCap, OneTimeTokens,
    Outbox, Sessions, UnitOfWork, Users,
};
use portcullis_domain::{
    AuditEvent, Letter, LoginIdentifier, NewUser, OneTimeToken, PasswordHash, PersonName, Purpose,
    Session, SessionEnd, SessionId, StoreError, Timestamp, TokenDigest, User, UserId,
};
use tokio::sync::OwnedMutexGuard;

use crate::state::{OutboxEntry, State};

pub(crate) struct MemoryUnit {
    committed: OwnedMutexGuard<State>,
    draft: State,
}

impl MemoryUnit {
    pub(crate) fn new(committed: OwnedMutexGuard<State>) -> Self {
        let draft = committed.clone();
        Self { committed, draft }
    }
}

#[async_trait]
impl UnitOfWork for MemoryUnit {
    fn users(&mut self) -> &mut dyn Users {
        &mut self.draft
    }

    fn one_time_tokens(&mut self) -> &mut dyn OneTimeTokens {
        &mut self.draft
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        &mut self.draft
    }

    fn lockouts(&mut self) -> &mut dyn Lockouts {
        &mut self.draft
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        &mut self.draft
    }

    fn audit(&mut self) -> &mut dyn Audit {
        &mut self.draft
    }

    fn identity_links(&mut self) -> &mut dyn IdentityLinks {
        &mut self.draft
    }

    fn devices(&mut self) -> &mut dyn Devices {
        &mut self.draft
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        *self.committed = self.draft;
        Ok(())
    }
}

#[async_trait]
impl Users for State {
    async fn add(&mut self, user: NewUser) -> Result<User, StoreError> {
        self.add_user(user)
    }

    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError> {
        let added = self.add_user(user);
        if added.is_err() {
            self.last_number += 1;
        }
        added
    }

    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.users.get(&id).cloned())
    }

    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.user_by_identifier(identifier).cloned())
    }

    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        if let Some(user) = self.users.get_mut(&id) {
            user.email_verified_at.get_or_insert(at);
        }
        Ok(())
    }

    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(user) = self.users.get_mut(&id) {
            user.name = name.clone();
            user.updated_at = Some(at);
        }
        Ok(())
    }

    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        if let Some(user) = self.users.get_mut(&id) {
            user.password_hash = hash.clone();
            user.password_changed_at = at;
        }
        Ok(())
    }

    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        match self.users.get_mut(&id) {
            Some(user) if user.password_hash == *old => {
                user.password_hash = new.clone();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn remove_unverified(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let is_stale = |user: &User| {
            user.email_verified_at.is_none() && user.username.is_none() && user.created_at < before
        };
        let stale: Vec<UserId> = self
            .users
            .values()
            .filter(|user| is_stale(user))
            .map(|user| user.id)
            .take(limit as usize)
            .collect();
        for id in &stale {
            self.remove_user(*id);
        }
        Ok(stale.len() as u64)
    }
}

#[async_trait]
impl OneTimeTokens for State {
    async fn add(&mut self, token: OneTimeToken) -> Result<(), StoreError> {
        self.one_time_tokens.entry((token.digest, token.purpose)).or_insert(token);
        Ok(())
    }

    async fn find(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        Ok(self.one_time_tokens.get(&(digest, purpose)).cloned())
    }

    async fn consume(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        match self.one_time_tokens.get_mut(&(digest, purpose)) {
            Some(token) if token.is_usable(now) => {
                token.used_at = Some(now);
                Ok(Some(token.clone()))
            }
            _ => Ok(None),
        }
    }

    async fn spend_all(
        &mut self,
        user: UserId,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for token in self.one_time_tokens.values_mut() {
            if token.user_id == user && token.purpose == purpose {
                token.used_at.get_or_insert(at);
            }
        }
        Ok(())
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(remove_some(&mut self.one_time_tokens, limit, |token| token.expires_at < before))
    }
}

#[async_trait]
impl Sessions for State {
    async fn open(&mut self, session: &Session) -> Result<(), StoreError> {
        self.sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn end(
        &mut self,
        id: SessionId,
        user: UserId,
        end: SessionEnd,
    ) -> Result<bool, StoreError> {
        Ok(self.end_session(id, user, end))
    }

    async fn end_all(&mut self, user: UserId, end: SessionEnd) -> Result<u64, StoreError> {
        let of_user = self.sessions.values_mut().filter(|session| session.user_id == user);
        let mut ended = 0;
        for session in of_user.filter(|session| session.is_live(end.at)) {
            session.end = Some(end);
            ended += 1;
        }
        Ok(ended)
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(remove_some(&mut self.sessions, limit, |session| session.expires_at < before))
    }
}

#[async_trait]
impl Lockouts for State {
    async fn clear(&mut self, identifier: IdentifierDigest) -> Result<(), StoreError> {
        self.failures.retain(|(digest, _), _| *digest != identifier);
        Ok(())
    }

    async fn remove_stale(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(remove_some(&mut self.failures, limit, |failures| failures.last_at < before))
    }
}

#[async_trait]
impl Outbox for State {
    async fn enqueue(&mut self, letter: &Letter, cap: MailCap) -> Result<Enqueued, StoreError> {
        let since = letter.created_at - cap.window;
        let recent = self.outbox.values().filter(|entry| {
            let other = &entry.owed.letter;
            other.kind == letter.kind
                && other.recipient == letter.recipient
                && other.created_at > since
        });
        if recent.count() >= cap.limit as usize {
            return Ok(Enqueued::Capped);
        }
        let owed = OwedLetter {
            letter: letter.clone(),
            attempts: 0,
            due_at: letter.created_at,
            buried_at: None,
            reason: None,
        };
        self.outbox.insert(letter.id, OutboxEntry { owed, settled_at: None });
        Ok(Enqueued::Owed)
    }

    async fn remove_settled(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let is_old = |entry: &OutboxEntry| entry.settled_at.is_some_and(|at| at < before);
        let old: Vec<_> = self
            .outbox
            .iter()
            .filter(|(_, owed)| is_old(owed))
            .map(|(id, _)| *id)
            .take(limit as usize)
            .collect();
        for id in &old {
            self.outbox.remove(id);
        }
        Ok(old.len() as u64)
    }
}

#[async_trait]
impl Audit for State {
    async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.audit.push(event.clone());
        Ok(())
    }

    async fn remove_old(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut removed = 0;
        self.audit.retain(|event| {
            let is_old = event.at < before && removed < u64::from(limit);
            removed += u64::from(is_old);
            !is_old
        });
        Ok(removed)
    }

    async fn of_user(&mut self, user: UserId, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let of_user = self.audit.iter().rev().filter(|event| event.user == Some(user));
        Ok(of_user.take(limit as usize).cloned().collect())
    }
}

fn remove_some<K: Copy + Eq + std::hash::Hash, V>(
    map: &mut std::collections::HashMap<K, V>,
    limit: u32,
    is_old: impl Fn(&V) -> bool,
) -> u64 {
    let old: Vec<K> = map
        .iter()
        .filter(|(_, value)| is_old(value))
        .map(|(key, _)| *key)
        .take(limit as usize)
        .collect();
    for key in &old {
        map.remove(key);
    }
    old.len() as u64
}
