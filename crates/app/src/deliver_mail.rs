//! Delivering what the outbox owes, letter by letter.

use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Claim, Lease, MailerError};
use portcullis_domain::{Letter, LetterKind, Mail, OneTimeToken, Purpose, User};
use secrecy::ExposeSecret;

use crate::backoff::Backoff;
use crate::{App, Failure, letters};

/// How long a claimed letter is nobody else's. A killed worker's letters are
/// taken over after this, within a minute; longer than a mailer may take, several
/// providers in a row included.
const LEASE: Duration = Duration::from_secs(55);
/// The longest wait is such that mail flows within a minute of a provider's return.
const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(45) };
/// How long a letter is worth trying.
const WORTH_TRYING: Duration = Duration::from_hours(24);

/// What became of a claimed letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Handed to the provider.
    Sent,
    /// Owed to nobody: no such account, or nothing to tell it.
    Dropped,
    /// To be tried again.
    Postponed,
    /// Given up.
    Buried,
    /// Given back untried, since the worker stops.
    Released,
}

/// What is to be done about a claimed letter.
enum Draft {
    Send(Mail),
    Drop,
    Bury(&'static str),
}

impl App {
    /// Claims up to `limit` letters that are due; each is to be handed to
    /// [`App::deliver`].
    ///
    /// # Errors
    /// [`Failure`] when the store is away; then mail counts as away too.
    pub async fn claim_due_mail(&self, limit: u32) -> Result<Vec<Claim>, Failure> {
        let lease = Lease { duration: LEASE, limit };
        let claimed = self.ports.outbox.claim(self.now(), lease).await;
        if claimed.is_err() {
            self.mail_is_away.store(true, Ordering::Relaxed);
        }
        Ok(claimed?)
    }

    /// Delivers a claimed letter, at least once: it is settled after the provider
    /// took it.
    ///
    /// # Errors
    /// [`Failure`] when the store is away; the letter comes free by itself.
    pub async fn deliver(&self, claim: &Claim) -> Result<Delivery, Failure> {
        match self.send(claim).await {
            // What is wrong with one letter, or with its user's row, is put off
            // like any other trouble: it holds up no other letter.
            Err(failure @ Failure::Internal(_)) => self.put_off(claim, &failure).await,
            delivery => delivery,
        }
    }

    /// Gives a claimed letter back untried.
    ///
    /// # Errors
    /// [`Failure`] when the store is away; the letter comes free by itself.
    pub async fn release(&self, claim: &Claim) -> Result<Delivery, Failure> {
        self.ports.outbox.release(claim.letter.id, claim.attempt).await?;
        Ok(Delivery::Released)
    }

    async fn send(&self, claim: &Claim) -> Result<Delivery, Failure> {
        let letter = &claim.letter;
        let outbox = &self.ports.outbox;
        match self.draft(letter).await? {
            Draft::Drop => {
                outbox.settle(letter.id, self.now()).await?;
                Ok(Delivery::Dropped)
            }
            Draft::Bury(reason) => {
                outbox.bury(letter.id, claim.attempt, self.now(), reason.to_owned()).await?;
                Ok(Delivery::Buried)
            }
            Draft::Send(mail) => {
                let sent = self.ports.mailer.send(mail).await;
                let is_away = matches!(sent, Err(MailerError::Temporary(_)));
                self.mail_is_away.store(is_away, Ordering::Relaxed);
                match sent {
                    Ok(()) => {
                        outbox.settle(letter.id, self.now()).await?;
                        Ok(Delivery::Sent)
                    }
                    Err(error @ MailerError::Permanent(_)) => {
                        outbox
                            .bury(letter.id, claim.attempt, self.now(), with_causes(&error))
                            .await?;
                        Ok(Delivery::Buried)
                    }
                    Err(error @ MailerError::Temporary(_)) => self.put_off(claim, &error).await,
                }
            }
        }
    }

    /// Tries again later, as long as that is worth it.
    async fn put_off(
        &self,
        claim: &Claim,
        error: &(dyn std::error::Error + Sync),
    ) -> Result<Delivery, Failure> {
        let (letter, now) = (&claim.letter, self.now());
        let reason = with_causes(error);
        if now.since(letter.created_at) >= WORTH_TRYING {
            self.ports.outbox.bury(letter.id, claim.attempt, now, reason).await?;
            return Ok(Delivery::Buried);
        }
        let wait = BACKOFF.after(claim.attempt, letter.id.as_uuid());
        self.ports.outbox.postpone(letter.id, claim.attempt, now + wait, reason).await?;
        Ok(Delivery::Postponed)
    }

    /// Looks up whom the letter is for and writes it out. Its token is made
    /// here, the same on every attempt, and its life begins with the first.
    async fn draft(&self, letter: &Letter) -> Result<Draft, Failure> {
        let now = self.now();
        let mut unit = self.ports.store.begin().await?;
        let found = unit.users().by_identifier(&letter.recipient).await?;
        let Some(user) = found.filter(|user| is_due_to(letter.kind, user)) else {
            return Ok(Draft::Drop);
        };
        let Some((purpose, ttl)) = self.token_of(letter.kind) else {
            drop(unit);
            return Ok(Draft::Send(letters::write(letter, &user, None)?));
        };

        let text = self.ports.opaque_tokens.one_time_token(purpose, letter.id);
        let digest = self.ports.opaque_tokens.digest_token(text.expose_secret());
        let known = unit.one_time_tokens().find(digest, purpose).await?;
        match known {
            Some(token) if !token.is_usable(now) => return Ok(Draft::Bury("its link expired")),
            Some(_) => {}
            None => {
                let token = OneTimeToken {
                    digest,
                    purpose,
                    user_id: user.id,
                    created_at: now,
                    expires_at: now + ttl,
                    used_at: None,
                };
                unit.one_time_tokens().add(token).await?;
                unit.commit().await?;
            }
        }
        let link = match purpose {
            Purpose::EmailVerification => self.rules.links.verification(text.expose_secret()),
            Purpose::PasswordReset => self.rules.links.password_reset(text.expose_secret()),
        };
        Ok(Draft::Send(letters::write(letter, &user, Some(link))?))
    }

    fn token_of(&self, kind: LetterKind) -> Option<(Purpose, Duration)> {
        match kind {
            LetterKind::Verification => {
                Some((Purpose::EmailVerification, self.rules.verification_ttl))
            }
            LetterKind::PasswordReset => Some((Purpose::PasswordReset, self.rules.reset_ttl)),
            LetterKind::Welcome
            | LetterKind::PasswordChanged
            | LetterKind::AccountLocked
            | LetterKind::RefreshTokenReused
            | LetterKind::RegistrationAttempted => None,
        }
    }
}

/// Whether there is anything to tell this user.
fn is_due_to(kind: LetterKind, user: &User) -> bool {
    let is_pointless = kind == LetterKind::Verification && user.is_email_verified();
    user.is_active() && !is_pointless
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, client, email};

    #[tokio::test]
    async fn a_provider_that_is_away_delays_and_loses_nothing() {
        let stage = Stage::new();
        stage.mailer.refuse_temporarily();
        stage.register("ann@example.com").await.unwrap();
        assert_eq!(stage.deliver().await, [Delivery::Postponed]);
        assert_eq!(stage.deliver().await, [], "it waits before it tries again");
        stage.mailer.accept();
        stage.clock.advance(BACKOFF.longest * 2);
        assert_eq!(stage.mails().await.len(), 1);
    }

    #[tokio::test]
    async fn every_attempt_carries_the_same_id_and_the_same_token() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        stage.mailer.lose_the_answer();
        stage.deliver().await;
        stage.mailer.accept();
        stage.clock.advance(BACKOFF.longest * 2);
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 2, "the first one did arrive");
        assert_eq!(mails[0], mails[1]);
    }

    #[tokio::test]
    async fn a_refused_letter_is_buried_and_holds_up_nobody() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        stage.register("bob@example.com").await.unwrap();
        stage.mailer.refuse_for_good("ann@example.com");
        let mut round = stage.deliver().await;
        round.sort_by_key(|delivery| *delivery == Delivery::Buried);
        assert_eq!(round, [Delivery::Sent, Delivery::Buried]);
        stage.clock.advance(WORTH_TRYING);
        assert_eq!(stage.deliver().await, []);
    }

    #[tokio::test]
    async fn r_33_a_letter_is_given_up_after_a_day() {
        let stage = Stage::new();
        stage.mailer.refuse_temporarily();
        stage.register("ann@example.com").await.unwrap();
        let mut rounds = 0;
        loop {
            let round = stage.deliver().await;
            rounds += 1;
            if round == [Delivery::Buried] {
                break;
            }
            assert!(rounds < 3_000, "it is tried for ever");
            stage.clock.advance(BACKOFF.longest * 2);
        }
        assert!(rounds > 100, "it was given up after {rounds} rounds");
    }

    #[tokio::test]
    async fn r_35_a_dead_link_is_never_sent() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        stage.mails().await;
        stage.mailer.refuse_temporarily();
        stage.app.request_password_reset(email("ann@example.com"), &client()).await.unwrap();
        stage.deliver().await;
        stage.mailer.accept();
        stage.clock.advance(stage.app.rules().reset_ttl);
        assert_eq!(stage.deliver().await, [Delivery::Buried]);
        assert!(stage.mails().await.is_empty());
    }

    #[tokio::test]
    async fn what_is_released_is_due_at_once() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        for claim in stage.app.claim_due_mail(10).await.unwrap() {
            assert_eq!(stage.app.release(&claim).await.unwrap(), Delivery::Released);
        }
        assert_eq!(stage.mails().await.len(), 1, "it is due at once");
    }
}
