//! Registering by contract A: an address, a name, a password; no session yet.

use portcullis_domain::password_policy::PersonalData;
use portcullis_domain::ports::Cancellation;
use portcullis_domain::{
    AuditEvent, AuditKind, Client, Email, FullName, Letter, LetterKind, LoginIdentifier, NewUser,
    Password, PersonName, StoreError, Timestamp, UserId, WeakPassword,
};

use crate::failure::failures_become;
use crate::{App, Disclosure, Failure};

/// What contract A asks for.
#[derive(Debug)]
pub struct Registration {
    /// The address to register.
    pub email: Email,
    /// The person's whole name.
    pub name: FullName,
    /// The password they chose.
    pub password: Password,
    /// Who asks.
    pub client: Client,
}

/// What the applicant is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The new account's id.
    pub id: UserId,
    /// Its address.
    pub email: Email,
    /// Its name.
    pub name: FullName,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Whether there is a new account. Not for the applicant, where
    /// [`Disclosure::Hide`] is set: then all the rest is made up.
    pub is_new: bool,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationRefused {
    /// The password may not be chosen.
    #[error(transparent)]
    WeakPassword(#[from] WeakPassword),
    /// The address belongs to an account, and [`Disclosure::Reveal`] is set.
    #[error("the e-mail address is already registered")]
    EmailTaken,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(RegistrationRefused);

impl App {
    /// Registers an account and owes it a verification mail.
    ///
    /// Where [`Disclosure::Hide`] is set, an address that is taken costs what a
    /// free one costs: one hash and the same statements.
    ///
    /// # Errors
    /// [`RegistrationRefused`]; then nothing is stored.
    pub async fn register(
        &self,
        registration: Registration,
        cancellation: Cancellation,
    ) -> Result<Registered, RegistrationRefused> {
        let Registration { email, name, password, client } = registration;
        let own = PersonalData { email: &email, name: name.as_str(), username: None };
        self.rules.password_policy.check_for(&password, own)?;
        let password_hash = self.hash(password, cancellation).await?;

        let now = self.now();
        let user = NewUser {
            id: self.ports.ids.user(),
            email: email.clone(),
            username: None,
            name: PersonName::whole(name.clone()),
            password_hash,
            created_at: now,
        };
        let id = user.id;
        let mut unit = self.ports.store.begin().await?;
        let added = match self.rules.disclosure {
            Disclosure::Reveal => unit.users().add(user).await,
            Disclosure::Hide => unit.users().add_discreetly(user).await,
        };
        let (letter, kind, user) = match (added, self.rules.disclosure) {
            (Ok(user), _) => (LetterKind::Verification, AuditKind::Registered, Some(user.id)),
            (Err(StoreError::Conflict(_)), Disclosure::Reveal) => {
                return Err(RegistrationRefused::EmailTaken);
            }
            (Err(StoreError::Conflict(_)), Disclosure::Hide) => {
                (LetterKind::RegistrationAttempted, AuditKind::RegistrationAttempted, None)
            }
            (Err(error), _) => return Err(error.into()),
        };
        let source = Some(client.source);
        let event = AuditEvent { kind, at: now, user, session: None, source };
        unit.audit().record(&event).await?;
        let letter = self.letter(letter, email.clone().into(), &client);
        unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
        unit.commit().await?;
        let is_new = event.kind == AuditKind::Registered;
        Ok(Registered { id, email, name, created_at: now, is_new })
    }

    /// A letter that is owed from now on.
    pub(crate) fn letter(
        &self,
        kind: LetterKind,
        recipient: LoginIdentifier,
        client: &Client,
    ) -> Letter {
        Letter {
            id: self.ports.ids.letter(),
            kind,
            recipient,
            source: Some(client.source),
            created_at: self.now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, password};

    #[tokio::test]
    async fn a_registered_account_is_owed_a_verification_mail() {
        let stage = Stage::new();
        let registered = stage.register("ann@example.com").await.unwrap();
        assert_eq!(registered.email.as_str(), "ann@example.com");
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to.as_str(), "ann@example.com");
        assert!(mails[0].text.contains("http://localhost:8000/api/v1/auth/verify-email/"));
    }

    #[tokio::test]
    async fn a_taken_address_is_refused_and_gets_no_second_mail() {
        let stage = Stage::new();
        stage.register("ann@example.com").await.unwrap();
        stage.mails().await;
        let refused = stage.register("ANN@example.com").await.unwrap_err();
        assert!(matches!(refused, RegistrationRefused::EmailTaken));
        assert!(stage.mails().await.is_empty());
    }

    #[tokio::test]
    async fn a_hidden_refusal_looks_like_success_and_warns_the_owner() {
        let stage = Stage::with_rules(|rules| rules.disclosure = Disclosure::Hide);
        let first = stage.register("ann@example.com").await.unwrap();
        stage.mails().await;
        let second = stage.register("ann@example.com").await.unwrap();
        assert_ne!(first.id, second.id);
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("tried to register"));
        assert!(!mails[0].text.contains("verify-email"));
    }

    #[tokio::test]
    async fn a_weak_password_stores_nothing() {
        let stage = Stage::new();
        let refused = stage.register_with("ann@example.com", "short").await.unwrap_err();
        assert!(matches!(refused, RegistrationRefused::WeakPassword(WeakPassword::TooShort)));
        assert!(stage.mails().await.is_empty());
        assert!(stage.register("ann@example.com").await.is_ok());
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_a_failure_and_not_a_refusal() {
        let stage = Stage::new().with_store_away();
        let refused = stage.register_with("ann@example.com", password()).await.unwrap_err();
        assert!(matches!(refused, RegistrationRefused::Failure(Failure::Unavailable(_))));
    }
}
