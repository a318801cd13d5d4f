//! Sessions and logins in single steps.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::lockout::count_attempt;
use portcullis_domain::ports::{
    Attempt, Attempted, Caller, Callers, LoginStore, Opened, Opening, SessionStore,
};
use portcullis_domain::{
    Failures, LockoutPolicy, SeedDigest, Session, SessionEnd, SessionId, Standing, StoreError,
    Timestamp, User, UserId,
};

use crate::MemoryStore;
use crate::state::{CounterKey, State};

#[async_trait]
impl SessionStore for MemoryStore {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        let state = self.state().await;
        let session = state.sessions.get(&id);
        let caller = session.and_then(|session| {
            let user = state.users.get(&session.user_id)?;
            Some(Caller { session: session.clone(), user: user.clone() })
        });
        Ok(caller)
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let mut state = self.state().await;
        let State { sessions, users, .. } = &mut *state;
        let Some(session) = sessions.get_mut(&id) else { return Ok(None) };
        let is_active = users.get(&session.user_id).is_some_and(User::is_active);
        let is_current = session.counter == counter && session.seed_digest == seed;
        if !(is_active && is_current && session.is_live(now)) {
            return Ok(None);
        }
        session.counter = session.next_counter();
        session.rotated_at = now;
        session.last_used_at = now;
        Ok(Some(session.clone()))
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        Ok(self.state().await.end_session(id, user, end))
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        Ok(self.state().await.users.contains_key(&id))
    }
}

#[async_trait]
impl Callers for MemoryStore {
    async fn bearer(
        &self,
        session: SessionId,
        _: UserId,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        Ok(self.caller(session).await?.map(Arc::new))
    }
}

#[async_trait]
impl LoginStore for MemoryStore {
    async fn attempt(
        &self,
        attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError> {
        let mut state = self.state().await;
        let [from_source, from_all] = counters(&attempt);
        let failures = |key| state.failures.get(key).copied().unwrap_or(Failures::NONE);
        let (source, all, standing) =
            count_attempt(failures(&from_source), failures(&from_all), attempt.at, &policy);
        if matches!(standing, Standing::Open { .. }) {
            state.failures.insert(from_source, source);
            state.failures.insert(from_all, all);
        }
        let user = state.user_by_identifier(&attempt.identifier).cloned();
        Ok(Attempted { standing, user })
    }

    async fn open(&self, opening: Opening) -> Result<Option<Opened>, StoreError> {
        let Opening { session, password_changed_at, attempt } = opening;
        let mut state = self.state().await;
        let Some(user) = state.users.get_mut(&session.user_id) else { return Ok(None) };
        if !user.is_active() || user.password_changed_at != password_changed_at {
            return Ok(None);
        }
        user.last_login_at = Some(session.opened_at);
        let user = user.clone();
        let displaced = state.displace_sessions(&session);
        state.sessions.insert(session.id, session);
        if let Some(attempt) = attempt {
            forgive(&mut state, &attempt);
        }
        Ok(Some(Opened { user, displaced }))
    }

    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        forgive(&mut *self.state().await, &attempt);
        Ok(())
    }

    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError> {
        withdraw(&mut *self.state().await, &attempt);
        Ok(())
    }
}

fn withdraw(state: &mut State, attempt: &Attempt) {
    let [from_source, _] = counters(attempt);
    // Forgiven meanwhile: then what is counted is others'.
    if state.failures.get(&from_source).is_none_or(|failures| failures.count == 0) {
        return;
    }
    for counter in counters(attempt) {
        if let Some(failures) = state.failures.get_mut(&counter) {
            *failures = failures.withdraw();
        }
    }
}

fn counters(attempt: &Attempt) -> [CounterKey; 2] {
    [(attempt.digest, Some(attempt.source.network())), (attempt.digest, None)]
}

fn forgive(state: &mut State, attempt: &Attempt) {
    for counter in counters(attempt) {
        state.failures.remove(&counter);
    }
}
