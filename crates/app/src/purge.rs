//! Removing what nobody can use any more, in bounded batches.

use std::time::Duration;

use portcullis_domain::lockout::FAILURE_MEMORY;

use crate::{App, Failure};

/// Most rows that one unit of work removes of each kind.
const BATCH: u32 = 500;

/// How long expired sessions and tokens are kept for whoever looks into an incident.
const KEEP: Duration = Duration::from_hours(24);

/// How long the audit log remembers.
const KEEP_AUDIT: Duration = Duration::from_hours(365 * 24);

/// How many rows were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Accounts whose mailbox was never proven in time.
    pub users: u64,
    /// One-time tokens.
    pub one_time_tokens: u64,
    /// Sessions.
    pub sessions: u64,
    /// Failure counters.
    pub lockouts: u64,
    /// Letters.
    pub letters: u64,
    /// Jobs.
    pub jobs: u64,
    /// Entries of the audit log.
    pub audit_events: u64,
}

impl Purged {
    /// Whether another batch may find more.
    #[must_use]
    pub fn is_full_batch(&self) -> bool {
        let removed = [
            self.users,
            self.one_time_tokens,
            self.sessions,
            self.lockouts,
            self.letters,
            self.jobs,
            self.audit_events,
        ];
        removed.into_iter().any(|removed| removed >= u64::from(BATCH))
    }
}

impl App {
    /// Removes one batch of everything that is past its time.
    ///
    /// # Errors
    /// [`Failure`]; then nothing is removed, or all but jobs.
    pub async fn purge(&self) -> Result<Purged, Failure> {
        let now = self.now();
        let mut unit = self.ports.store.begin().await?;
        let mut purged = Purged {
            users: unit.users().remove_unverified(now - self.rules.unverified_ttl, BATCH).await?,
            one_time_tokens: unit.one_time_tokens().remove_expired(now - KEEP, BATCH).await?,
            sessions: unit.sessions().remove_expired(now - KEEP, BATCH).await?,
            lockouts: unit.lockouts().remove_stale(now - FAILURE_MEMORY, BATCH).await?,
            letters: unit
                .outbox()
                .remove_settled(now - self.rules.mail_cap.window.max(KEEP), BATCH)
                .await?,
            audit_events: unit.audit().remove_old(now - KEEP_AUDIT, BATCH).await?,
            jobs: 0,
        };
        unit.commit().await?;
        purged.jobs = self.ports.jobs.remove_settled(now - KEEP, BATCH).await?;
        Ok(purged)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::notice;
    use portcullis_domain::ports::Cancellation;

    use super::*;
    use crate::stage::{Stage, password};

    #[tokio::test]
    async fn rg_15_an_address_that_was_never_proven_is_free_again() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        stage.verified("bob@example.com").await;
        stage.sign_up("johndoe", "john@example.com").await.unwrap();
        stage.clock.advance(stage.app.rules().unverified_ttl);
        assert_eq!(stage.app.purge().await.unwrap().users, 0, "not a moment too early");
        stage.clock.advance(Duration::from_secs(1));
        assert_eq!(stage.app.purge().await.unwrap().users, 1);
        assert!(stage.register("ann@example.com").await.is_ok());
        assert!(stage.log_in("bob@example.com", password()).await.is_ok());
        assert!(stage.log_in("johndoe", password()).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_in_use_stays() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        stage.mails().await;
        let tokens = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        stage.app.enqueue_job(notice(), None).await.unwrap();
        let job = stage.app.claim_due_jobs(1).await.unwrap().remove(0);
        stage.app.carry_out(&job, &Cancellation::default()).await.unwrap();
        assert_eq!(stage.app.purge().await.unwrap(), Purged::default());
        assert!(stage.authenticate(&tokens).await.is_ok());
        stage.clock.advance(Duration::from_hours(1440));
        let purged = stage.app.purge().await.unwrap();
        assert_eq!((purged.sessions, purged.one_time_tokens, purged.jobs), (1, 1, 1));
        assert_eq!(purged.letters, 2, "the verification and the welcome");
    }
}
