//! Proving a mailbox.

use portcullis_domain::{AuditEvent, AuditKind, Client, Email, LetterKind, Purpose, User};

use crate::failure::failures_become;
use crate::{App, Failure};

/// Why a mailbox is not proven.
#[derive(Debug, thiserror::Error)]
pub enum VerificationRefused {
    /// The token is unknown, spent or expired; which one is not told.
    #[error("the verification token is invalid or expired")]
    InvalidToken,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(VerificationRefused);

impl App {
    /// Spends a verification token and marks its account's e-mail as verified.
    ///
    /// # Errors
    /// [`VerificationRefused`]; then nothing changes.
    pub async fn verify_email(
        &self,
        token: &str,
        client: &Client,
    ) -> Result<User, VerificationRefused> {
        let digest = self.ports.opaque_tokens.digest_token(token);
        let now = self.now();
        let mut unit = self.ports.store.begin().await?;
        let purpose = Purpose::EmailVerification;
        let found = unit.one_time_tokens().find(digest, purpose).await?;
        let token = found.ok_or(VerificationRefused::InvalidToken)?;
        // The account before its token, as everywhere.
        let user = unit.users().by_id(token.user_id).await?.filter(User::is_active);
        let mut user = user.ok_or(VerificationRefused::InvalidToken)?;
        let spent = unit.one_time_tokens().consume(digest, purpose, now).await?;
        spent.ok_or(VerificationRefused::InvalidToken)?;
        if !user.is_email_verified() {
            unit.users().mark_email_verified(user.id, now).await?;
            user.email_verified_at = Some(now);
            let event = AuditEvent {
                kind: AuditKind::EmailVerified,
                at: now,
                user: Some(user.id),
                session: None,
                source: Some(client.source),
            };
            unit.audit().record(&event).await?;
            let letter = self.letter(LetterKind::Welcome, user.email.clone().into(), client);
            unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        }
        unit.commit().await?;
        Ok(user)
    }

    /// Owes another verification mail to the address, if an account waits for
    /// one. That is found out when the mail is due: here, every address costs
    /// the same.
    ///
    /// # Errors
    /// [`Failure`] when the request could not be stored.
    pub async fn resend_verification(&self, email: Email, client: &Client) -> Result<(), Failure> {
        self.owe(LetterKind::Verification, email, client).await
    }

    /// Owes one letter to an address that may or may not be an account's.
    pub(crate) async fn owe(
        &self,
        kind: LetterKind,
        email: Email,
        client: &Client,
    ) -> Result<(), Failure> {
        let letter = self.letter(kind, email.into(), client);
        let mut unit = self.ports.store.begin().await?;
        unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        unit.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, client, email};

    #[tokio::test]
    async fn a_verification_token_works_once() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        let token = stage.mailed_token().await;
        let user = stage.app.verify_email(&token, &client()).await.unwrap();
        assert!(user.is_email_verified());
        let again = stage.app.verify_email(&token, &client()).await.unwrap_err();
        assert!(matches!(again, VerificationRefused::InvalidToken));
        assert!(stage.mails().await[0].subject.contains("Welcome"));
    }

    #[tokio::test]
    async fn ve_04_a_verification_token_expires_by_the_programs_clock() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        let token = stage.mailed_token().await;
        stage.clock.advance(stage.app.rules().verification_ttl);
        let late = stage.app.verify_email(&token, &client()).await.unwrap_err();
        assert!(matches!(late, VerificationRefused::InvalidToken));
    }

    #[tokio::test]
    async fn a_reset_token_verifies_nothing() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        stage.mails().await;
        stage.app.request_password_reset(email("ann@example.com"), &client()).await.unwrap();
        let token = stage.mailed_token().await;
        assert!(stage.app.verify_email(&token, &client()).await.is_err());
    }

    #[tokio::test]
    async fn resending_reaches_those_who_wait_and_nobody_else() {
        let stage = Stage::new();
        stage.verified("bob@example.com").await;
        stage.register("ann@example.com").await.unwrap();
        stage.mails().await;
        for address in ["ann@example.com", "bob@example.com", "nobody@example.com"] {
            stage.app.resend_verification(email(address), &client()).await.unwrap();
        }
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to.as_str(), "ann@example.com");
    }

    #[tokio::test]
    async fn one_address_is_sent_five_mails_of_a_kind_in_an_hour() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        for _ in 0..10 {
            stage.app.resend_verification(email("ann@example.com"), &client()).await.unwrap();
        }
        assert_eq!(stage.mails().await.len(), 5);
        stage.clock.advance(stage.app.rules().mail_cap.window);
        stage.app.resend_verification(email("ann@example.com"), &client()).await.unwrap();
        assert_eq!(stage.mails().await.len(), 1);
    }
}
