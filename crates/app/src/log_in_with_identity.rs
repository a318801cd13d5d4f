//! Logging in by somebody else's word: an identity provider's token.

use portcullis_domain::identity::VerifiedIdentity;
use portcullis_domain::ports::{IdentityError, Opening, RevocationCheck, UnitOfWork};
use portcullis_domain::{
    AuditEvent, AuditKind, Client, Contract, Email, FullName, IdentityLink, IdentitySource,
    NewUser, PasswordHash, PersonName, StoreError, User,
};
use secrecy::SecretString;

use crate::failure::failures_become;
use crate::{App, Failure, LoggedIn, NotOffered};

/// Why no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefused {
    /// There is no identity provider here.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// It is no token of the provider for us, or one no longer.
    #[error("the ID token is invalid or has expired")]
    InvalidToken,
    /// The provider has taken the sign-in back.
    #[error("the sign-in was revoked")]
    Revoked,
    /// The user is disabled, here or there.
    #[error("the user is not active")]
    Inactive,
    /// The provider has not proven the address; nobody gets an account by it.
    #[error("the provider has not verified the e-mail address")]
    EmailNotVerified,
    /// The address belongs to an account whose owner has not proven it. Whoever
    /// registered it may be somebody else and know its password, so it is
    /// neither linked nor taken over; a password reset proves the mailbox.
    #[error("the account of this e-mail address is not verified")]
    AccountNotVerified,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(IdentityRefused);

impl From<IdentityError> for IdentityRefused {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::InvalidToken(_)
            | IdentityError::Expired
            | IdentityError::Malformed(_) => Self::InvalidToken,
            IdentityError::Revoked => Self::Revoked,
            // Gone there means gone: the token outlives its user by an hour at most.
            IdentityError::Disabled | IdentityError::NotFound => Self::Inactive,
            IdentityError::RateLimited { .. }
            | IdentityError::Denied(_)
            | IdentityError::Unavailable(_)
            | IdentityError::Unexpected(_) => Self::Failure(Failure::Unavailable(error.into())),
            IdentityError::AlreadyExists => Self::Failure(Failure::Internal(error.into())),
        }
    }
}

/// Where an identity is known from.
const SOURCE: IdentitySource = IdentitySource::Firebase;

impl App {
    /// Opens a session for whoever the identity provider vouches for.
    ///
    /// Who came this way before is known by the provider's id. Somebody new is
    /// linked to the account of their address if both sides have proven it, and
    /// gets an account, without a password, if there is none.
    ///
    /// # Errors
    /// [`IdentityRefused`]; then no session is open.
    pub async fn log_in_with_identity(
        &self,
        token: SecretString,
        client: Client,
    ) -> Result<LoggedIn, IdentityRefused> {
        let provider = self.ports.services.identity.as_ref().ok_or(NotOffered)?;
        let identity = provider.verify_id_token(token, RevocationCheck::Ask).await?;
        let user = self.user_behind(&identity, &client).await?;

        let (session, refresh) = self.new_session(user.id, Contract::Json, client);
        let tokens = self.issue_tokens(&session, &refresh)?;
        let password_changed_at = user.password_changed_at;
        let opening = Opening { session: session.clone(), password_changed_at, attempt: None };
        let opened = self.ports.logins.open(opening).await?.ok_or(IdentityRefused::Inactive)?;
        let unannounced = self.announce_sign_in(&session).await.err();
        Ok(LoggedIn { user: opened.user, tokens, unannounced })
    }

    /// The account of an identity, linked to it from now on.
    async fn user_behind(
        &self,
        identity: &VerifiedIdentity,
        client: &Client,
    ) -> Result<User, IdentityRefused> {
        let mut unit = self.ports.store.begin().await?;
        if let Some(user) = unit.identity_links().user_of(SOURCE, &identity.subject).await? {
            return if user.is_active() { Ok(user) } else { Err(IdentityRefused::Inactive) };
        }
        let proven = identity.email.clone().filter(|_| identity.email_verified);
        let email = proven.ok_or(IdentityRefused::EmailNotVerified)?;
        let now = self.now();
        let (user, kind) = match of_address(&mut *unit, &email).await? {
            Some(user) => (user, AuditKind::IdentityLinked),
            None => match unit.users().add(self.newcomer(identity, email.clone())).await {
                Ok(user) => {
                    unit.users().mark_email_verified(user.id, now).await?;
                    (user, AuditKind::Registered)
                }
                // Somebody registered it this very moment.
                Err(error @ StoreError::Conflict(_)) => {
                    let user = of_address(&mut *unit, &email).await?.ok_or(error)?;
                    (user, AuditKind::IdentityLinked)
                }
                Err(error) => return Err(error.into()),
            },
        };
        let subject = identity.subject.clone();
        let link = IdentityLink { source: SOURCE, subject, user: user.id, linked_at: now };
        if !unit.identity_links().link(&link).await? {
            // Of two first logins at once the other one came first.
            let linked = unit.identity_links().user_of(SOURCE, &identity.subject).await?;
            return linked.filter(User::is_active).ok_or(IdentityRefused::Inactive);
        }
        let source = Some(client.source);
        let event = AuditEvent { kind, at: now, user: Some(user.id), session: None, source };
        unit.audit().record(&event).await?;
        unit.commit().await?;
        Ok(user)
    }

    /// An account for somebody whom only the provider knows.
    fn newcomer(&self, identity: &VerifiedIdentity, email: Email) -> NewUser {
        let name = identity.name.as_deref().and_then(|name| FullName::parse(name).ok());
        let name = name.unwrap_or_else(|| FullName::of_address(&email));
        NewUser {
            id: self.ports.ids.user(),
            email,
            username: None,
            name: PersonName::whole(name),
            password_hash: PasswordHash::none(),
            created_at: self.now(),
        }
    }
}

/// The account of an address, if a proven identity may be linked to it.
async fn of_address(
    unit: &mut dyn UnitOfWork,
    email: &Email,
) -> Result<Option<User>, IdentityRefused> {
    match unit.users().by_identifier(&email.clone().into()).await? {
        Some(user) if !user.is_email_verified() => Err(IdentityRefused::AccountNotVerified),
        Some(user) if !user.is_active() => Err(IdentityRefused::Inactive),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use portcullis_domain::identity::Subject;
    use portcullis_domain::ports::MockIdentityProvider;
    use portcullis_domain::{AccountStatus, UserId};

    use super::*;
    use crate::stage::{Stage, client, password};

    fn identity(subject: &str, email: Option<&str>, email_verified: bool) -> VerifiedIdentity {
        let now = portcullis_conformance::build::START;
        VerifiedIdentity {
            subject: Subject::parse(subject).unwrap(),
            issuer: String::new(),
            audience: String::new(),
            email: email.map(|email| Email::parse(email).unwrap()),
            email_verified,
            name: None,
            picture: None,
            phone: None,
            authenticated_at: now,
            issued_at: now,
            expires_at: now,
            sign_in_provider: None,
            claims: BTreeMap::new(),
        }
    }

    /// A stage whose provider vouches for this one.
    fn vouched(mut stage: Stage, identity: &VerifiedIdentity) -> Stage {
        let mut provider = MockIdentityProvider::new();
        let identity = identity.clone();
        provider.expect_verify_id_token().returning(move |_, check| {
            assert_eq!(check, RevocationCheck::Ask);
            Ok(identity.clone())
        });
        stage.app.ports.services.identity = Some(Arc::new(provider));
        stage
    }

    async fn log_in(stage: &Stage) -> Result<UserId, IdentityRefused> {
        let finished = stage.app.log_in_with_identity("token".into(), client()).await;
        finished.map(|logged_in| logged_in.user.id)
    }

    #[tokio::test]
    async fn who_gave_no_name_is_called_by_their_address() {
        let stage = vouched(Stage::new(), &identity("a", Some("ann.lee@example.com"), true));
        let finished = stage.app.log_in_with_identity("token".into(), client()).await.unwrap();
        assert_eq!(finished.user.name.full().as_str(), "ann.lee");
        assert!(finished.user.password_hash.is_none() && finished.user.is_email_verified());
    }

    #[tokio::test]
    async fn a_subject_stays_with_its_account_when_the_address_moves() {
        let stage = vouched(Stage::new(), &identity("a", Some("ann@example.com"), true));
        let ann = log_in(&stage).await.unwrap();
        let stage = vouched(stage, &identity("a", Some("bob@example.com"), true));
        assert_eq!(log_in(&stage).await.unwrap(), ann);
        let stage = vouched(stage, &identity("a", None, false));
        assert_eq!(log_in(&stage).await.unwrap(), ann);
        // Another subject with the address is linked to the same account.
        let stage = vouched(stage, &identity("b", Some("ann@example.com"), true));
        assert_eq!(log_in(&stage).await.unwrap(), ann);
    }

    #[tokio::test]
    async fn nobody_is_linked_without_proof_on_both_sides() {
        let stage = Stage::new();
        let proven = stage.verified("ann@example.com").await;
        stage.register("eve@example.com").await.unwrap();
        let stage = vouched(stage, &identity("a", Some("ann@example.com"), false));
        assert!(matches!(log_in(&stage).await, Err(IdentityRefused::EmailNotVerified)));
        let stage = vouched(stage, &identity("a", Some("eve@example.com"), true));
        assert!(matches!(log_in(&stage).await, Err(IdentityRefused::AccountNotVerified)));
        // Nothing was linked on the way.
        let stage = vouched(stage, &identity("a", Some("ann@example.com"), true));
        assert_eq!(log_in(&stage).await.unwrap(), proven);
        stage.log_in("ann@example.com", password()).await.unwrap();
    }

    #[tokio::test]
    async fn a_disabled_account_stays_shut() {
        use portcullis_conformance::build::imported_user;
        use portcullis_domain::ports::AccountsArchive;
        let stage = Stage::new();
        let mut disabled = imported_user("ann");
        disabled.status = AccountStatus::Disabled;
        disabled.email_verified_at = Some(stage.app.now());
        stage.store.import(vec![disabled]).await.unwrap();
        let stage = vouched(stage, &identity("a", Some("ann@example.com"), true));
        assert!(matches!(log_in(&stage).await, Err(IdentityRefused::Inactive)));
    }

    #[tokio::test]
    async fn a_provider_that_cannot_say_is_no_refusal() {
        for (error, is_failure) in [
            (IdentityError::Unavailable("no route".into()), true),
            (IdentityError::Denied("401".into()), true),
            (IdentityError::RateLimited { retry_after: None, cause: "429".into() }, true),
            (IdentityError::Unexpected("html".into()), true),
            (IdentityError::Expired, false),
            (IdentityError::Revoked, false),
            (IdentityError::NotFound, false),
        ] {
            let refused = IdentityRefused::from(error);
            let is_unavailable =
                matches!(refused, IdentityRefused::Failure(Failure::Unavailable(_)));
            assert_eq!(is_unavailable, is_failure, "{refused:?}");
        }
    }
}
