//! Signing up by contract B: a username too, and a session at once.

use portcullis_domain::password_policy::PersonalData;
use portcullis_domain::ports::Cancellation;
use portcullis_domain::{
    AuditEvent, AuditKind, Client, Contract, Email, LetterKind, NamePart, NewUser, Password,
    PersonName, StoreError, Username, WeakPassword,
};

use crate::failure::failures_become;
use crate::{App, Failure, LoggedIn};

/// What contract B asks for.
#[derive(Debug)]
pub struct SignUp {
    /// The username to take.
    pub username: Username,
    /// The address to register.
    pub email: Email,
    /// The password they chose.
    pub password: Password,
    /// The person's first name.
    pub first_name: NamePart,
    /// The person's last name.
    pub last_name: NamePart,
    /// Who asks.
    pub client: Client,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpRefused {
    /// The password may not be chosen.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The username or the address belongs to an account; which one is not told.
    #[error("the username or e-mail address is already registered")]
    Taken,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(SignUpRefused);

impl App {
    /// Registers an account, owes it a verification mail and opens a session.
    ///
    /// # Errors
    /// [`SignUpRefused`]; then nothing is stored.
    pub async fn sign_up(
        &self,
        sign_up: SignUp,
        cancellation: Cancellation,
    ) -> Result<LoggedIn, SignUpRefused> {
        let SignUp { username, email, password, first_name, last_name, client } = sign_up;
        let name = PersonName::in_parts(first_name, last_name);
        let own =
            PersonalData { email: &email, name: name.full().as_str(), username: Some(&username) };
        self.rules.password_policy.check_for(&password, own)?;
        let password_hash = self.hash(password, cancellation).await?;

        let now = self.now();
        let user = NewUser {
            id: self.ports.ids.user(),
            email: email.clone(),
            username: Some(username),
            name,
            password_hash,
            created_at: now,
        };
        let (session, refresh) = self.new_session(user.id, Contract::Form, client.clone());
        let event = AuditEvent {
            kind: AuditKind::Registered,
            at: now,
            user: Some(user.id),
            session: Some(session.id),
            source: Some(client.source),
        };
        let letter = self.letter(LetterKind::Verification, email.into(), &client);
        let tokens = self.issue_tokens(&session, &refresh)?;

        let mut unit = self.ports.store.begin().await?;
        let user = unit.users().add(user).await.map_err(|error| match error {
            StoreError::Conflict(_) => SignUpRefused::Taken,
            error => error.into(),
        })?;
        unit.sessions().open(&session).await?;
        unit.audit().record(&event).await?;
        unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        unit.commit().await?;
        // Nobody has a device before they have an account.
        Ok(LoggedIn { user, tokens, unannounced: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;
    use std::time::Duration;

    #[tokio::test]
    async fn signing_up_opens_a_session_of_contract_b() {
        let stage = Stage::new();
        let tokens = stage.sign_up("johndoe", "john@example.com").await.unwrap();
        assert_eq!(tokens.access_ttl, Duration::from_hours(1));
        let caller = stage.authenticate(&tokens).await.unwrap();
        assert_eq!(caller.user.name.first(), "John");
        assert!(!caller.session.rotates);
        assert!(!caller.user.is_email_verified());
        assert_eq!(stage.mails().await.len(), 1);
    }

    #[tokio::test]
    async fn a_taken_username_and_a_taken_address_are_one_refusal() {
        let stage = Stage::new();
        stage.sign_up("johndoe", "john@example.com").await.unwrap();
        for (username, email) in [("JohnDoe", "other@example.com"), ("other", "JOHN@example.com")] {
            let refused = stage.sign_up(username, email).await.unwrap_err();
            assert!(matches!(refused, SignUpRefused::Taken));
        }
    }
}
