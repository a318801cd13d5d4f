//! Firebase Authentication.

mod accounts;
mod claims;
mod custom_token;
mod emulator;
mod failure;
mod id_token;
mod public_keys;
mod record;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::ports::{Clock, IdentityError, IdentityProvider, RevocationCheck};
use portcullis_domain::{
    Claims, Identity, IdentityKey, IdentityPage, NewIdentity, Subject, VerifiedIdentity,
};
use portcullis_google::{AccessTokens, Authorization, GoogleApi, Scope};
use secrecy::{ExposeSecret, SecretString};

use crate::settings::{FirebaseSettings, InvalidFirebaseSettings};
use accounts::Accounts;
use custom_token::CustomTokens;
pub use emulator::InvalidEmulatorHost;
use id_token::IdTokens;
pub use id_token::InvalidIdToken;
use public_keys::PublicKeys;

/// Identity Toolkit.
const IDENTITY_URL: &str = "https://identitytoolkit.googleapis.com";
/// The keys of ID tokens.
const KEYS_URL: &str =
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

/// The users of a Firebase project, and the tokens that vouch for them.
pub struct Authentication {
    clock: Arc<dyn Clock>,
    accounts: Accounts,
    id_tokens: IdTokens,
    custom_tokens: CustomTokens,
}

impl Authentication {
    /// The users of the account's project. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidFirebaseSettings`] says which setting cannot be used.
    pub fn new(
        tokens: Arc<AccessTokens>,
        settings: &FirebaseSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidFirebaseSettings> {
        let account = tokens.account().clone();
        let keys =
            settings.client("the address of keys", settings.keys_url.as_deref(), KEYS_URL)?;
        let client = settings.client(
            "the address of Identity Toolkit",
            settings.identity_url.as_deref(),
            IDENTITY_URL,
        )?;
        let api = GoogleApi::new(client, Authorization::Account(tokens, Scope::IDENTITY));
        let project = account.project_id().to_owned();
        Ok(Self {
            accounts: Accounts::new(api, project.clone()),
            id_tokens: IdTokens::signed(project, PublicKeys::new(keys, Arc::clone(&clock))),
            custom_tokens: CustomTokens::Signed(Box::new(account)),
            clock,
        })
    }

    /// Asks the provider whether what the token says still holds.
    async fn refuse_revoked(&self, identity: &VerifiedIdentity) -> Result<(), IdentityError> {
        let key = IdentityKey::Subject(identity.subject.clone());
        let record = self.accounts.find(key).await?.ok_or(IdentityError::NotFound)?;
        if record.disabled {
            return Err(IdentityError::Disabled);
        }
        // Both are whole seconds: a sign-in of the very second is after it.
        if record.tokens_valid_from.is_some_and(|from| identity.authenticated_at < from) {
            return Err(IdentityError::Revoked);
        }
        Ok(())
    }
}

#[async_trait]
impl IdentityProvider for Authentication {
    async fn verify_id_token(
        &self,
        token: SecretString,
        check: RevocationCheck,
    ) -> Result<VerifiedIdentity, IdentityError> {
        let now = self.clock.now();
        let identity = self.id_tokens.verify(token.expose_secret(), now).await?;
        if check == RevocationCheck::Ask {
            self.refuse_revoked(&identity).await?;
        }
        Ok(identity)
    }

    async fn find(&self, key: IdentityKey) -> Result<Option<Identity>, IdentityError> {
        self.accounts.find(key).await
    }

    async fn create(&self, user: NewIdentity) -> Result<Identity, IdentityError> {
        self.accounts.create(user).await
    }

    async fn list(&self, size: u16, after: Option<String>) -> Result<IdentityPage, IdentityError> {
        self.accounts.list(size, after).await
    }

    async fn custom_token(
        &self,
        subject: Subject,
        claims: Claims,
    ) -> Result<SecretString, IdentityError> {
        self.custom_tokens.make(&subject, &claims, self.clock.now())
    }

    async fn set_custom_claims(
        &self,
        subject: Subject,
        claims: Claims,
    ) -> Result<(), IdentityError> {
        self.accounts.set_custom_claims(subject, &claims).await
    }
}

/// Tells whether it believes unsigned tokens, and no more.
impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentication").field("id_tokens", &self.id_tokens).finish_non_exhaustive()
    }
}
