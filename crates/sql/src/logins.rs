//! Logging in over SQL: a transaction of a few statements for each step, or on
//! Postgres, where each statement is a way through the network, one statement.

use async_trait::async_trait;
use portcullis_domain::lockout::count_attempt;
use portcullis_domain::ports::{Attempt, Attempted, LoginStore, Opened, Opening};
use portcullis_domain::{LockoutPolicy, Standing, StoreError, User};

use crate::SqlStore;
use crate::connection::{Connection, Lease, run};
use crate::queries::login_failures::Counters;
use crate::queries::{login_failures, login_on_postgres, sessions, users};

#[async_trait]
impl LoginStore for SqlStore {
    async fn attempt(
        &self,
        attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError> {
        let mut lease = self.writers.lease().await?;
        match lease.connection() {
            Connection::Postgres(_) => attempt_in_one(&mut lease, &attempt, &policy).await,
            Connection::Sqlite(_) => attempt_in_steps(lease, &attempt, &policy).await,
        }
    }

    async fn open(&self, opening: Opening) -> Result<Option<Opened>, StoreError> {
        let mut lease = self.writers.lease().await?;
        match lease.connection() {
            Connection::Postgres(_) => {
                let row = run!(&mut lease,
                    sqlite _connection => std::future::ready(Ok(None)),
                    postgres connection => login_on_postgres::open(connection, &opening)
                )?;
                let Some(row) = row else { return Ok(None) };
                let displaced = u64::try_from(row.displaced).unwrap_or(0);
                Ok(Some(Opened { user: row.user.try_into()?, displaced }))
            }
            Connection::Sqlite(_) => open_in_steps(lease, opening).await,
        }
    }

    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        login_failures::forgive(&mut unit.lease, &attempt).await?;
        unit.lease.commit().await
    }

    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError> {
        let mut unit = self.unit().await?;
        let lease = &mut unit.lease;
        let Counters { from_source, from_all } = login_failures::load(lease, &attempt).await?;
        if from_source.count > 0 {
            let withdrawn =
                Counters { from_source: from_source.withdraw(), from_all: from_all.withdraw() };
            login_failures::save(lease, &attempt, &withdrawn).await?;
        }
        lease.commit().await
    }
}

async fn attempt_in_steps(
    mut lease: Lease,
    attempt: &Attempt,
    policy: &LockoutPolicy,
) -> Result<Attempted, StoreError> {
    let lease = &mut lease;
    lease.begin().await?;
    let before = login_failures::load(lease, attempt).await?;
    let (from_source, from_all, standing) =
        count_attempt(before.from_source, before.from_all, attempt.at, policy);
    let mut user = None;
    if matches!(standing, Standing::Open { .. }) {
        login_failures::save(lease, attempt, &Counters { from_source, from_all }).await?;
        user = users::by_identifier(lease, &attempt.identifier).await?;
    }
    lease.commit().await?;
    Ok(Attempted { standing, user })
}

async fn open_in_steps(mut lease: Lease, opening: Opening) -> Result<Option<Opened>, StoreError> {
    let Opening { session, password_changed_at, attempt } = opening;
    let lease = &mut lease;
    lease.begin().await?;
    let noted = users::note_login(lease, session.user_id, password_changed_at, session.opened_at);
    let Some(user) = noted.await? else { return Ok(None) };
    sessions::open(lease, &session).await?;
    let displaced = sessions::displace(lease, &session).await?;
    if let Some(attempt) = attempt {
        login_failures::forgive(lease, &attempt).await?;
    }
    lease.commit().await?;
    Ok(Some(Opened { user, displaced }))
}

/// How often an attempt is counted anew that met a lock which its statement
/// could not see. The next statement sees it.
const TRIES: u32 = 5;

async fn attempt_in_one(
    lease: &mut Lease,
    attempt: &Attempt,
    policy: &LockoutPolicy,
) -> Result<Attempted, StoreError> {
    for _ in 0..TRIES {
        let met = run!(lease,
            sqlite _connection => std::future::ready(Err(diesel::NotFound)),
            postgres connection => login_on_postgres::attempt(connection, attempt, policy)
        )?;
        let standing = match (met.locks_source, met.locks_all, met.locked_until) {
            (Some(by_source), Some(by_all), _) => Standing::Open { last: by_source || by_all },
            (_, _, Some(until)) => Standing::Locked(until.0),
            // Locked by an attempt that was under way with this one.
            (_, _, None) => continue,
        };
        return Ok(Attempted { standing, user: met.user.map(User::try_from).transpose()? });
    }
    Err(StoreError::Unavailable("other attempts keep changing the counters".into()))
}
