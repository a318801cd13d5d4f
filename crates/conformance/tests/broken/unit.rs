//! Units of work with a defect.

use std::time::Duration;

use async_trait::async_trait;
use portcullis_domain::ports::{
    Audit, Devices, Enqueued, IdentifierDigest, IdentityLinks, Lockouts, MailCap, OneTimeTokens,
    Outbox, Sessions, UnitOfWork, Users,
};
use portcullis_domain::{
    AuditEvent, Letter, LoginIdentifier, NewUser, OneTimeToken, PasswordHash, PersonName, Purpose,
    Session, SessionEnd, SessionId, StoreError, Timestamp, TokenDigest, User, UserId, UserNumber,
};

use super::{Defect, LONG};

pub(super) struct BrokenUnit {
    pub(super) inner: Option<Box<dyn UnitOfWork>>,
    pub(super) defect: Defect,
}

impl BrokenUnit {
    pub(super) fn inner(&mut self) -> &mut dyn UnitOfWork {
        &mut **self.inner.as_mut().unwrap()
    }

    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn batch(&self, limit: u32) -> u32 {
        if self.has(Defect::PurgeNothing) { 0 } else { limit }
    }
}

impl Drop for BrokenUnit {
    fn drop(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        match self.defect {
            Defect::CommitOnDrop => drop(tokio::spawn(inner.commit())),
            Defect::HoldLocksForLong => drop(tokio::spawn(async move {
                tokio::time::sleep(LONG).await;
                drop(inner);
            })),
            _ => {}
        }
    }
}

#[async_trait]
impl UnitOfWork for BrokenUnit {
    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn one_time_tokens(&mut self) -> &mut dyn OneTimeTokens {
        self
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn lockouts(&mut self) -> &mut dyn Lockouts {
        self
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        self
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self
    }

    fn identity_links(&mut self) -> &mut dyn IdentityLinks {
        self
    }

    fn devices(&mut self) -> &mut dyn Devices {
        self
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let inner = self.inner.take().unwrap();
        if self.has(Defect::CommitNothing) {
            return Ok(());
        }
        inner.commit().await
    }
}

#[async_trait]
impl Users for BrokenUnit {
    async fn add(&mut self, mut user: NewUser) -> Result<User, StoreError> {
        if self.has(Defect::TellSecrets) {
            let text = format!("{} {}", user.email, user.password_hash.expose());
            return match self.inner().users().add(user).await {
                Err(_) => Err(StoreError::Other(text.into())),
                added => added,
            };
        }
        if self.has(Defect::TakeEverybodyForOne) && user.username.is_none() {
            user.username = Some(portcullis_conformance::build::username("nobody"));
        }
        if self.has(Defect::SwallowConflicts) {
            let pretended = user.clone().numbered(UserNumber::new(1));
            return match self.inner().users().add(user).await {
                Err(StoreError::Conflict(_)) => Ok(pretended),
                added => added,
            };
        }
        let added = self.inner().users().add(user).await;
        // A moment at which its caller may be cancelled.
        tokio::task::yield_now().await;
        let is_down = self.has(Defect::CountDown);
        added.map(|user| {
            let number = if is_down { -user.number.get() } else { user.number.get() };
            User { number: UserNumber::new(number), ..user }
        })
    }

    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError> {
        let is_hasty = self.has(Defect::TellAtOnce);
        let users = self.inner().users();
        if is_hasty { users.add(user).await } else { users.add_discreetly(user).await }
    }

    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = self.inner().users().by_id(id).await?;
        let loses = self.has(Defect::LoseFields);
        Ok(found.map(|user| {
            if loses { User { username: None, email_verified_at: None, ..user } } else { user }
        }))
    }

    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError> {
        let found = self.inner().users().by_identifier(identifier).await?;
        Ok(found.filter(|_| !self.has(Defect::FindNobody)))
    }

    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.inner().users().mark_email_verified(id, at).await
    }

    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner().users().rename(id, name, at).await
    }

    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner().users().change_password(id, hash, at).await
    }

    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let upgraded = self.inner().users().upgrade_hash(id, old, new).await?;
        Ok(upgraded || self.has(Defect::UpgradeAnything))
    }

    async fn remove_unverified(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().users().remove_unverified(before, limit).await
    }
}

#[async_trait]
impl OneTimeTokens for BrokenUnit {
    async fn add(&mut self, token: OneTimeToken) -> Result<(), StoreError> {
        self.inner().one_time_tokens().add(token).await
    }

    async fn find(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let found = self.inner().one_time_tokens().find(digest, purpose).await?;
        let loses = self.has(Defect::LoseFields) || self.has(Defect::ConsumeAgainAndAgain);
        Ok(found.map(|token| if loses { OneTimeToken { used_at: None, ..token } } else { token }))
    }

    async fn consume(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        let defect = self.defect;
        let tokens = self.inner().one_time_tokens();
        match defect {
            Defect::ConsumeAgainAndAgain => tokens.find(digest, purpose).await,
            Defect::IgnoreExpiry => {
                let early = now - Duration::from_secs(1);
                tokens.consume(digest, purpose, early).await
            }
            Defect::IgnorePurpose => {
                for purpose in [Purpose::EmailVerification, Purpose::PasswordReset] {
                    if let Some(token) = tokens.consume(digest, purpose, now).await? {
                        return Ok(Some(token));
                    }
                }
                Ok(None)
            }
            _ => tokens.consume(digest, purpose, now).await,
        }
    }

    async fn spend_all(
        &mut self,
        user: UserId,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner().one_time_tokens().spend_all(user, purpose, at).await
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().one_time_tokens().remove_expired(before, limit).await
    }
}

#[async_trait]
impl Sessions for BrokenUnit {
    async fn open(&mut self, session: &Session) -> Result<(), StoreError> {
        self.inner().sessions().open(session).await
    }

    async fn end(
        &mut self,
        id: SessionId,
        user: UserId,
        end: SessionEnd,
    ) -> Result<bool, StoreError> {
        self.inner().sessions().end(id, user, end).await
    }

    async fn end_all(&mut self, user: UserId, end: SessionEnd) -> Result<u64, StoreError> {
        self.inner().sessions().end_all(user, end).await
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().sessions().remove_expired(before, limit).await
    }
}

#[async_trait]
impl Lockouts for BrokenUnit {
    async fn clear(&mut self, identifier: IdentifierDigest) -> Result<(), StoreError> {
        self.inner().lockouts().clear(identifier).await
    }

    async fn remove_stale(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().lockouts().remove_stale(before, limit).await
    }
}

#[async_trait]
impl Outbox for BrokenUnit {
    async fn enqueue(&mut self, letter: &Letter, cap: MailCap) -> Result<Enqueued, StoreError> {
        let limit = if self.has(Defect::IgnoreCaps) { u32::MAX } else { cap.limit };
        self.inner().outbox().enqueue(letter, MailCap { limit, ..cap }).await
    }

    async fn remove_settled(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().outbox().remove_settled(before, limit).await
    }
}

#[async_trait]
impl Audit for BrokenUnit {
    async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        self.inner().audit().record(event).await
    }

    async fn remove_old(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = self.batch(limit);
        self.inner().audit().remove_old(before, limit).await
    }

    async fn of_user(&mut self, user: UserId, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        let mut events = self.inner().audit().of_user(user, limit).await?;
        if self.has(Defect::LoseFields) {
            for event in &mut events {
                event.source = None;
            }
        }
        Ok(events)
    }
}
