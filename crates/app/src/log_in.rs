//! Logging in with a password.

use std::time::Duration;

use portcullis_domain::ports::{Attempt, Cancellation, Opening, Verification};
use portcullis_domain::{
    AuditEvent, AuditKind, Client, Contract, LetterKind, LoginIdentifier, Password, Standing, User,
    UserId,
};

use crate::failure::failures_become;
use crate::{App, Failure, Tokens};

/// A session was opened.
#[derive(Debug)]
pub struct LoggedIn {
    /// Its user.
    pub user: User,
    /// Its first tokens.
    pub tokens: Tokens,
    /// Why the user's devices are not told of it, if they should be.
    pub unannounced: Option<Failure>,
}

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefused {
    /// No such account, wrong password, or disabled; which one is not told.
    #[error("the credentials are invalid")]
    InvalidCredentials {
        /// Whether the password was right, and the account is disabled. Not for
        /// whoever asks.
        is_inactive: bool,
        /// Whether this was one failure too many: from now on the identifier is
        /// locked. Not for whoever asks, either.
        locks: bool,
    },
    /// The password was right, but the address it came with is not proven.
    #[error("the e-mail address is not verified")]
    EmailNotVerified,
    /// Too many failures. The same for identifiers that do not exist.
    #[error("the identifier is locked")]
    Locked {
        /// How long the lock still holds.
        retry_after: Duration,
    },
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(LoginRefused);

impl App {
    /// Opens a session for whoever knows the password.
    ///
    /// An attempt is counted before its password is checked, so see it through
    /// once it has begun: dropping it half-way leaves a failure counted. Whoever
    /// leaves says so by the cancellation; as long as the password waits to be
    /// checked, the attempt is then withdrawn.
    ///
    /// Whatever the identifier and whatever is wrong, the same statements run
    /// and one hash is computed: neither answer nor time tells who has an account.
    ///
    /// # Errors
    /// [`LoginRefused`]; then no session is open.
    pub async fn log_in(
        &self,
        identifier: LoginIdentifier,
        password: Password,
        contract: Contract,
        client: Client,
        cancellation: Cancellation,
    ) -> Result<LoggedIn, LoginRefused> {
        let turn = self.ports.hasher.admit(cancellation)?;
        let now = self.now();
        let attempt = Attempt {
            digest: self.ports.opaque_tokens.digest_identifier(&identifier),
            identifier,
            source: client.source,
            at: now,
        };
        let met = self.ports.logins.attempt(attempt.clone(), self.rules.lockout).await?;
        let last = match met.standing {
            Standing::Locked(until) => {
                return Err(LoginRefused::Locked { retry_after: until.since(now) });
            }
            Standing::Open { last } => last,
        };

        let named = met.user.as_ref().map(|user| user.id);
        let hash = met.user.as_ref().map(|user| user.password_hash.clone());
        let found = match self.ports.hasher.verify(turn, password.clone(), hash).await {
            Ok(found) => found,
            Err(unchecked) => {
                self.ports.logins.withdraw(attempt).await?;
                return Err(unchecked.into());
            }
        };
        let (user, outdated) = match (met.user, found) {
            (Some(user), Verification::Match { outdated }) if user.is_active() => (user, outdated),
            (_, found) => {
                if last {
                    self.tell_of_lock(&attempt, named, &client).await?;
                }
                let is_inactive = matches!(found, Verification::Match { .. });
                return Err(LoginRefused::InvalidCredentials { is_inactive, locks: last });
            }
        };
        if !user.may_identify_by(&attempt.identifier) {
            self.ports.logins.forgive(attempt).await?;
            return Err(LoginRefused::EmailNotVerified);
        }

        let (session, refresh) = self.new_session(user.id, contract, client);
        let tokens = self.issue_tokens(&session, &refresh)?;
        let opening = Opening {
            session: session.clone(),
            password_changed_at: user.password_changed_at,
            attempt: Some(attempt),
        };
        let opened = self.ports.logins.open(opening).await?;
        // Disabled, or another password since it was checked: then this one is wrong.
        let changed = LoginRefused::InvalidCredentials { is_inactive: false, locks: false };
        let user_now = opened.ok_or(changed)?.user;
        if outdated {
            self.upgrade_hash(&user, password).await;
        }
        let unannounced = self.announce_sign_in(&session).await.err();
        Ok(LoggedIn { user: user_now, tokens, unannounced })
    }

    async fn tell_of_lock(
        &self,
        attempt: &Attempt,
        user: Option<UserId>,
        client: &Client,
    ) -> Result<(), Failure> {
        let letter = self.letter(LetterKind::AccountLocked, attempt.identifier.clone(), client);
        let event = AuditEvent {
            kind: AuditKind::Locked,
            at: attempt.at,
            user,
            session: None,
            source: Some(client.source),
        };
        let mut unit = self.ports.store.begin().await?;
        unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        unit.audit().record(&event).await?;
        Ok(unit.commit().await?)
    }

    /// Replaces a hash of outdated scheme or cost. When that fails, the login
    /// stands and the next one tries again.
    async fn upgrade_hash(&self, user: &User, password: Password) {
        let Ok(better) = self.hash(password, Cancellation::default()).await else { return };
        let Ok(mut unit) = self.ports.store.begin().await else { return };
        let replaced = unit.users().upgrade_hash(user.id, &user.password_hash, &better).await;
        if replaced.is_ok() {
            drop(unit.commit().await);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, password};
    use portcullis_domain::ports::Store;

    #[tokio::test]
    async fn a_verified_owner_logs_in() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let logged_in = stage.log_in("Ann@Example.com", password()).await.unwrap();
        assert_eq!(logged_in.user.last_login_at, Some(stage.app.now()));
        assert_eq!(logged_in.tokens.access_ttl, Duration::from_mins(30));
        assert!(stage.authenticate(&logged_in.tokens).await.is_ok());
    }

    #[tokio::test]
    async fn an_unverified_address_is_told_only_to_who_knows_the_password() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        let wrong = stage.log_in("ann@example.com", "wrong password").await.unwrap_err();
        assert!(matches!(wrong, LoginRefused::InvalidCredentials { .. }));
        let right = stage.log_in("ann@example.com", password()).await.unwrap_err();
        assert!(matches!(right, LoginRefused::EmailNotVerified));
    }

    #[tokio::test]
    async fn a_username_needs_no_verified_address() {
        let stage = Stage::new();
        stage.sign_up("johndoe", "john@example.com").await.unwrap();
        assert!(stage.log_in("JOHNDOE", password()).await.is_ok());
        let by_email = stage.log_in("john@example.com", password()).await.unwrap_err();
        assert!(matches!(by_email, LoginRefused::EmailNotVerified));
    }

    #[tokio::test]
    async fn the_eleventh_try_is_locked_even_with_the_right_password() {
        let stage = Stage::new();
        let ann = stage.verified("ann@example.com").await;
        stage.mails().await;
        for identifier in ["ann@example.com", "nobody@example.com"] {
            for number in 1..=10 {
                let refused = stage.log_in(identifier, "wrong password").await.unwrap_err();
                let LoginRefused::InvalidCredentials { is_inactive, locks } = refused else {
                    panic!("{identifier}: {refused}")
                };
                assert_eq!((is_inactive, locks), (false, number == 10), "{identifier}, {number}");
            }
            let refused = stage.log_in(identifier, password()).await.unwrap_err();
            let LoginRefused::Locked { retry_after } = refused else {
                panic!("{identifier} is not locked: {refused}")
            };
            assert_eq!(retry_after, Duration::from_hours(1));
        }
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 1, "only an account that exists is told");
        assert!(mails[0].subject.contains("locked"));
        let mut unit = stage.store.begin().await.unwrap();
        let events = unit.audit().of_user(ann, 1).await.unwrap();
        assert_eq!(events[0].kind, AuditKind::Locked);
        drop(unit);

        stage.clock.advance(Duration::from_hours(1));
        assert!(stage.log_in("ann@example.com", password()).await.is_ok());
    }

    #[tokio::test]
    async fn a_success_forgives_earlier_failures() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        for _ in 0..3 {
            for _ in 0..9 {
                assert!(stage.log_in("ann@example.com", "wrong password").await.is_err());
            }
            assert!(stage.log_in("ann@example.com", password()).await.is_ok());
        }
    }

    #[tokio::test]
    async fn somebody_elses_guessing_does_not_shut_out_the_owner() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        for _ in 0..12 {
            assert!(stage.log_in("ann@example.com", "wrong password").await.is_err());
        }
        let elsewhere = stage.from([198, 51, 100, 9]);
        assert!(elsewhere.log_in("ann@example.com", password()).await.is_ok());
    }

    #[tokio::test]
    async fn a_reset_ends_the_lock() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        for _ in 0..11 {
            assert!(stage.log_in("ann@example.com", "wrong password").await.is_err());
        }
        stage.mails().await;
        stage.reset("ann@example.com", "another good password").await;
        assert!(stage.log_in("ann@example.com", "another good password").await.is_ok());
        assert!(stage.log_in("ann@example.com", password()).await.is_err());
    }

    #[tokio::test]
    async fn what_was_never_checked_is_no_failure() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let overloaded = stage.with_hasher_overloaded();
        for _ in 0..30 {
            let refused = overloaded.log_in("ann@example.com", password()).await.unwrap_err();
            assert!(matches!(refused, LoginRefused::Failure(Failure::Overloaded(_))));
        }
    }

    #[tokio::test]
    async fn do_01_who_leaves_before_the_password_is_checked_did_not_fail() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        for _ in 0..30 {
            let gone = Cancellation::default();
            gone.cancel();
            let refused = stage.log_in_unless(gone, "ann@example.com", "wrong password").await;
            assert!(matches!(refused, Err(LoginRefused::Failure(Failure::Overloaded(_)))));
        }
        assert!(stage.log_in("ann@example.com", password()).await.is_ok());
    }

    #[tokio::test]
    async fn an_outdated_hash_is_replaced_at_login() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        stage.hasher.outdate();
        stage.log_in("ann@example.com", password()).await.unwrap();
        let before = stage.hasher.hashed();
        stage.log_in("ann@example.com", password()).await.unwrap();
        assert_eq!(stage.hasher.hashed(), before, "the second login finds a hash up to date");
    }
}
