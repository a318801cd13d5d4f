//! Units of work: transactions.

use async_trait::async_trait;
use portcullis_domain::identity::Subject;
use portcullis_domain::ports::{
    Audit, Devices, Enqueued, IdentifierDigest, IdentityLinks, Lockouts, MailCap, OneTimeTokens,
    Outbox, Sessions, UnitOfWork, Users,
};
use portcullis_domain::{
    AuditEvent, IdentityLink, IdentitySource, Letter, LoginIdentifier, NewUser, OneTimeToken,
    PasswordHash, PersonName, Purpose, Session, SessionEnd, SessionId, StoreError, Timestamp,
    TokenDigest, User, UserId,
};

use crate::connection::{Lease, Source};
use crate::queries::{
    audit_events, devices, identity_links, login_failures, one_time_tokens, outbox, sessions, users,
};

/// A transaction on a leased connection; the lease undoes it if it is dropped.
pub(crate) struct SqlUnit {
    pub(crate) lease: Lease,
}

impl SqlUnit {
    pub(crate) async fn begin(writers: &dyn Source) -> Result<Self, StoreError> {
        let mut lease = writers.lease().await?;
        if let Err(error) = lease.begin().await {
            if !lease.is_lost() {
                return Err(error);
            }
            // Nothing has happened on it. Its place in the pool may be the only one.
            drop(lease);
            lease = writers.lease().await?;
            lease.begin().await?;
        }
        Ok(Self { lease })
    }
}

#[async_trait]
impl UnitOfWork for SqlUnit {
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
        self.lease.commit().await
    }
}

#[async_trait]
impl Users for SqlUnit {
    async fn add(&mut self, user: NewUser) -> Result<User, StoreError> {
        users::add(&mut self.lease, &user).await
    }

    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError> {
        users::add_discreetly(&mut self.lease, &user).await
    }

    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        users::by_id(&mut self.lease, id).await
    }

    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError> {
        users::by_identifier(&mut self.lease, identifier).await
    }

    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        users::mark_email_verified(&mut self.lease, id, at).await
    }

    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        users::rename(&mut self.lease, id, name, at).await
    }

    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        users::change_password(&mut self.lease, id, hash, at).await
    }

    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        users::upgrade_hash(&mut self.lease, id, old, new).await
    }

    async fn remove_unverified(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.lease.take_time();
        users::remove_unverified(&mut self.lease, before, limit).await
    }
}

#[async_trait]
impl OneTimeTokens for SqlUnit {
    async fn add(&mut self, token: OneTimeToken) -> Result<(), StoreError> {
        one_time_tokens::add(&mut self.lease, &token).await
    }

    async fn find(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        one_time_tokens::find(&mut self.lease, digest, purpose).await
    }

    async fn consume(
        &mut self,
        digest: TokenDigest,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<OneTimeToken>, StoreError> {
        one_time_tokens::consume(&mut self.lease, digest, purpose, now).await
    }

    async fn spend_all(
        &mut self,
        user: UserId,
        purpose: Purpose,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        one_time_tokens::spend_all(&mut self.lease, user, purpose, at).await
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.lease.take_time();
        one_time_tokens::remove_expired(&mut self.lease, before, limit).await
    }
}

#[async_trait]
impl Sessions for SqlUnit {
    async fn open(&mut self, session: &Session) -> Result<(), StoreError> {
        sessions::open(&mut self.lease, session).await
    }

    async fn end(
        &mut self,
        id: SessionId,
        user: UserId,
        end: SessionEnd,
    ) -> Result<bool, StoreError> {
        sessions::end(&mut self.lease, id, user, end).await
    }

    async fn end_all(&mut self, user: UserId, end: SessionEnd) -> Result<u64, StoreError> {
        sessions::end_all(&mut self.lease, user, end).await
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.lease.take_time();
        sessions::remove_expired(&mut self.lease, before, limit).await
    }
}

#[async_trait]
impl Lockouts for SqlUnit {
    async fn clear(&mut self, identifier: IdentifierDigest) -> Result<(), StoreError> {
        login_failures::clear(&mut self.lease, identifier).await
    }

    async fn remove_stale(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.lease.take_time();
        login_failures::remove_stale(&mut self.lease, before, limit).await
    }
}

#[async_trait]
impl Outbox for SqlUnit {
    async fn enqueue(&mut self, letter: &Letter, cap: MailCap) -> Result<Enqueued, StoreError> {
        outbox::enqueue(&mut self.lease, letter, cap).await
    }

    async fn remove_settled(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.lease.take_time();
        outbox::remove_settled(&mut self.lease, before, limit).await
    }
}

#[async_trait]
impl Audit for SqlUnit {
    async fn record(&mut self, event: &AuditEvent) -> Result<(), StoreError> {
        audit_events::record(&mut self.lease, event).await
    }

    async fn remove_old(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.lease.take_time();
        audit_events::remove_old(&mut self.lease, before, limit).await
    }

    async fn of_user(&mut self, user: UserId, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        audit_events::of_user(&mut self.lease, user, limit).await
    }
}

#[async_trait]
impl IdentityLinks for SqlUnit {
    async fn user_of(
        &mut self,
        source: IdentitySource,
        subject: &Subject,
    ) -> Result<Option<User>, StoreError> {
        identity_links::user_of(&mut self.lease, source, subject).await
    }

    async fn link(&mut self, link: &IdentityLink) -> Result<bool, StoreError> {
        identity_links::link(&mut self.lease, link).await
    }
}

#[async_trait]
impl Devices for SqlUnit {
    async fn forget_all_of(&mut self, user: UserId) -> Result<(), StoreError> {
        devices::forget_all_of(&mut self.lease, user).await
    }
}
