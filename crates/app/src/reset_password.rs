//! Choosing a new password by mail.

use portcullis_domain::password_policy::PersonalData;
use portcullis_domain::ports::Cancellation;
use portcullis_domain::{
    AuditEvent, AuditKind, Client, Email, EndReason, LetterKind, Password, Purpose, SessionEnd,
    User, UserId, WeakPassword,
};

use crate::failure::failures_become;
use crate::{App, Failure};

/// Why the password stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum ResetRefused {
    /// The new password may not be chosen; the token is not spent.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The token is unknown, spent or expired; which one is not told.
    #[error("the reset token is invalid or expired")]
    InvalidToken,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(ResetRefused);

impl App {
    /// Owes a reset mail to the address, if it is an account's. That is found
    /// out when the mail is due: here, every address costs the same.
    ///
    /// # Errors
    /// [`Failure`] when the request could not be stored.
    pub async fn request_password_reset(
        &self,
        email: Email,
        client: &Client,
    ) -> Result<(), Failure> {
        self.owe(LetterKind::PasswordReset, email, client).await
    }

    /// Spends a reset token and replaces the password. All sessions and all
    /// other reset tokens end, devices are forgotten (whoever was thrown out is not
    /// told where the owner signs in), locks are lifted, and the mailbox counts as
    /// proven, since the token came through it. Tells whose password it is.
    ///
    /// # Errors
    /// [`ResetRefused`]; then nothing changes.
    pub async fn confirm_password_reset(
        &self,
        token: &str,
        new_password: Password,
        client: &Client,
        cancellation: Cancellation,
    ) -> Result<UserId, ResetRefused> {
        let policy = self.rules.password_policy;
        policy.check(&new_password)?;
        let digest = self.ports.opaque_tokens.digest_token(token);
        let user = self.bearer_of_reset_token(token).await?;
        let own = PersonalData {
            email: &user.email,
            name: user.name.full().as_str(),
            username: user.username.as_ref(),
        };
        policy.check_for(&new_password, own)?;
        let hash = self.hash(new_password, cancellation).await?;

        let now = self.now();
        let end = SessionEnd { at: now, reason: EndReason::PasswordReset };
        let event = AuditEvent {
            kind: AuditKind::PasswordReset,
            at: now,
            user: Some(user.id),
            session: None,
            source: Some(client.source),
        };
        let letter = self.letter(LetterKind::PasswordChanged, user.email.clone().into(), client);
        let mut unit = self.ports.store.begin().await?;
        // The account first: two resets of one account then follow each other.
        let user = unit.users().by_id(user.id).await?.filter(User::is_active);
        let user = user.ok_or(ResetRefused::InvalidToken)?;
        unit.one_time_tokens()
            .consume(digest, Purpose::PasswordReset, now)
            .await?
            .ok_or(ResetRefused::InvalidToken)?;
        unit.users().change_password(user.id, &hash, now).await?;
        unit.users().mark_email_verified(user.id, now).await?;
        unit.one_time_tokens().spend_all(user.id, Purpose::PasswordReset, now).await?;
        unit.sessions().end_all(user.id, end).await?;
        unit.devices().forget_all_of(user.id).await?;
        for identifier in user.identifiers() {
            let digest = self.ports.opaque_tokens.digest_identifier(&identifier);
            unit.lockouts().clear(digest).await?;
        }
        unit.audit().record(&event).await?;
        unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        unit.commit().await?;
        Ok(user.id)
    }

    /// Whose reset token this is, without spending it.
    async fn bearer_of_reset_token(&self, token: &str) -> Result<User, ResetRefused> {
        let digest = self.ports.opaque_tokens.digest_token(token);
        let now = self.now();
        let mut unit = self.ports.store.begin().await?;
        let found = unit.one_time_tokens().find(digest, Purpose::PasswordReset).await?;
        let token = found.filter(|token| token.is_usable(now)).ok_or(ResetRefused::InvalidToken)?;
        let user = unit.users().by_id(token.user_id).await?;
        user.filter(User::is_active).ok_or(ResetRefused::InvalidToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, client, email, password};

    async fn token(stage: &Stage, address: &str) -> String {
        stage.mails().await;
        stage.app.request_password_reset(email(address), &client()).await.unwrap();
        stage.mailed_token().await
    }

    async fn confirm(stage: &Stage, token: &str, text: &str) -> Result<(), ResetRefused> {
        let password = Password::parse(text).unwrap();
        stage
            .app
            .confirm_password_reset(token, password, &client(), Cancellation::default())
            .await
            .map(drop)
    }

    #[tokio::test]
    async fn a_reset_replaces_the_password_and_ends_all_sessions() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let session = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let token = token(&stage, "ann@example.com").await;
        assert!(stage.authenticate(&session).await.is_ok(), "asking changes nothing");
        confirm(&stage, &token, "another good password").await.unwrap();
        assert!(stage.authenticate(&session).await.is_err());
        assert!(stage.log_in("ann@example.com", password()).await.is_err());
        assert!(stage.log_in("ann@example.com", "another good password").await.is_ok());
        assert!(stage.mails().await[0].subject.contains("changed"));
    }

    #[tokio::test]
    async fn a_success_spends_every_older_token() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let first = token(&stage, "ann@example.com").await;
        let second = token(&stage, "ann@example.com").await;
        confirm(&stage, &second, "another good password").await.unwrap();
        for spent in [first, second] {
            let refused = confirm(&stage, &spent, "a third good password").await.unwrap_err();
            assert!(matches!(refused, ResetRefused::InvalidToken));
        }
    }

    #[tokio::test]
    async fn a_refused_password_does_not_spend_the_token() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let token = token(&stage, "ann@example.com").await;
        for weak in ["weak", "password1", "ann@example.com"] {
            let refused = confirm(&stage, &token, weak).await.unwrap_err();
            assert!(matches!(refused, ResetRefused::WeakPassword(_)));
        }
        confirm(&stage, &token, "another good password").await.unwrap();
    }

    #[tokio::test]
    async fn the_mailbox_owner_takes_a_squatted_address_back() {
        let stage = Stage::new();
        stage.register_with("ann@example.com", "the squatter's own").await.unwrap();
        let token = token(&stage, "ann@example.com").await;
        confirm(&stage, &token, "the owner's password").await.unwrap();
        assert!(stage.log_in("ann@example.com", "the owner's password").await.is_ok());
        assert!(stage.log_in("ann@example.com", "the squatter's own").await.is_err());
    }

    #[tokio::test]
    async fn nobody_is_mailed_at_an_address_without_an_account() {
        let stage = Stage::new();
        stage.app.request_password_reset(email("nobody@example.com"), &client()).await.unwrap();
        assert!(stage.mails().await.is_empty());
    }
}
