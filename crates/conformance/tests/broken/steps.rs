//! Single steps with a defect.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_conformance::build::{START, attempt, source};
use portcullis_domain::ports::{
    Attempt, Attempted, Caller, Callers, Claim, Lease, LoginStore, Opened, Opening, OutboxQueue,
    OwedLetter, SessionStore, Store,
};
use portcullis_domain::{
    Letter, LetterId, LockoutPolicy, SeedDigest, Session, SessionEnd, SessionId, Standing,
    StoreError, Timestamp, UserId,
};

use super::{Broken, Defect};

#[async_trait]
impl SessionStore for Broken {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        let mut caller = self.inner.caller(id).await?;
        if let Some(caller) = caller.as_mut().filter(|_| self.has(Defect::LoseFields)) {
            caller.session.client.user_agent = None;
        }
        Ok(caller)
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let found = self.inner.caller(id).await?.map(|caller| caller.session);
        let now = if self.has(Defect::IgnoreExpiry) { now.min(START) } else { now };
        let seed = match &found {
            Some(session) if self.has(Defect::IgnoreSeed) => session.seed_digest,
            _ => seed,
        };
        if self.has(Defect::AdvanceNever) {
            return Ok(None);
        }
        let moved = self.inner.advance(id, counter, seed, now).await?;
        if moved.is_none()
            && (self.has(Defect::AdvanceAgainAndAgain) || self.has(Defect::ReviveSessions))
        {
            return Ok(found);
        }
        if self.has(Defect::AdvanceTwice) && moved.is_some() {
            return self.inner.advance(id, counter + 1, seed, now).await;
        }
        Ok(moved)
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        let ended = self.inner.end(id, user, end).await?;
        Ok(ended || self.has(Defect::EndAnything))
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        self.inner.user_exists(id).await
    }
}

#[async_trait]
impl Callers for Broken {
    async fn bearer(&self, id: SessionId, user: UserId) -> Result<Option<Arc<Caller>>, StoreError> {
        let known = self.cache.lock().unwrap().get(&id).cloned();
        let mut caller = match known {
            Some(known) if self.has(Defect::CacheForEver) => Some(known),
            _ => self.inner.bearer(id, user).await?,
        };
        if let Some(caller) = &mut caller {
            if self.has(Defect::LoseFields) {
                Arc::make_mut(caller).session.client.user_agent = None;
            }
            self.cache.lock().unwrap().insert(id, caller.clone());
        }
        Ok(caller)
    }
}

#[async_trait]
impl LoginStore for Broken {
    async fn attempt(
        &self,
        mut attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError> {
        if self.has(Defect::MixSources) {
            attempt.source = source(0);
        }
        let mut attempted = self.inner.attempt(attempt, policy).await?;
        if self.has(Defect::NeverLock) {
            attempted.standing = Standing::Open { last: false };
        }
        if self.has(Defect::FindNobody) {
            attempted.user = None;
        }
        Ok(attempted)
    }

    async fn open(&self, mut opening: Opening) -> Result<Option<Opened>, StoreError> {
        if self.has(Defect::DisplaceNobody) {
            let mut unit = self.inner.begin().await?;
            unit.sessions().open(&opening.session).await?;
            let user = unit.users().by_id(opening.session.user_id).await?;
            unit.commit().await?;
            return Ok(user.map(|user| Opened { user, displaced: 0 }));
        }
        if self.has(Defect::IgnorePasswordChange) {
            // Tries every moment at which the password may have been changed.
            for at in 0..10 {
                opening.password_changed_at = START + std::time::Duration::from_micros(at);
                if let Some(opened) = self.inner.open(opening.clone()).await? {
                    return Ok(Some(opened));
                }
            }
        }
        if self.has(Defect::NeverForgive) {
            opening.attempt = None;
        }
        if self.has(Defect::WelcomeStrangers) {
            opening.attempt.get_or_insert_with(|| attempt("ann"));
        }
        self.inner.open(opening).await
    }

    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        if self.has(Defect::NeverForgive) { Ok(()) } else { self.inner.forgive(attempt).await }
    }

    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError> {
        if self.has(Defect::NeverForgive) { Ok(()) } else { self.inner.withdraw(attempt).await }
    }
}

#[async_trait]
impl OutboxQueue for Broken {
    async fn claim(&self, now: Timestamp, mut lease: Lease) -> Result<Vec<Claim>, StoreError> {
        if self.has(Defect::IgnoreLeases) {
            lease.duration = std::time::Duration::ZERO;
        }
        if self.has(Defect::ClaimTooMuch) {
            lease.limit += 1;
        }
        if self.has(Defect::IgnoreTurns) {
            let mut all = self.inner.claim(now, Lease { limit: u32::MAX, ..lease }).await?;
            all.sort_by_key(|claim| claim.letter.created_at);
            for late in all.split_off(all.len().min(lease.limit as usize)) {
                self.inner.release(late.letter.id, late.attempt).await?;
            }
            return Ok(all);
        }
        let mut claims = self.inner.claim(now, lease).await?;
        if self.has(Defect::LoseFields) {
            for claim in &mut claims {
                claim.letter = Letter { source: None, ..claim.letter.clone() };
            }
        }
        Ok(claims)
    }

    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) { Ok(()) } else { self.inner.settle(id, at).await }
    }

    async fn postpone(
        &self,
        id: LetterId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        self.inner.postpone(id, attempt, due, reason).await
    }

    async fn bury(
        &self,
        id: LetterId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            Ok(())
        } else {
            self.inner.bury(id, attempt, at, reason).await
        }
    }

    async fn release(&self, id: LetterId, attempt: u32) -> Result<(), StoreError> {
        if self.has(Defect::NeverSettle) {
            return Ok(());
        }
        let later = u32::from(self.has(Defect::IgnoreHolders));
        self.inner.release(id, attempt + later).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedLetter>, StoreError> {
        let mut listed = self.inner.list(buried, limit).await?;
        if self.has(Defect::LoseFields) {
            for owed in &mut listed {
                owed.reason = None;
            }
        }
        Ok(listed)
    }

    async fn revive(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        if self.has(Defect::NeverSettle) { Ok(true) } else { self.inner.revive(id, at).await }
    }
}
