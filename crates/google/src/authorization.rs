//! By what a call is authorized.

use std::sync::Arc;

use secrecy::SecretString;

use crate::access_tokens::{AccessTokens, TokenError};
use crate::scope::Scope;

/// By what a call is authorized.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// By access tokens of a service account.
    Account(Arc<AccessTokens>, Scope),
    /// By the word `owner`, which an emulator takes for an administrator's
    /// token and Google for nobody's.
    Emulator,
}

impl Authorization {
    /// The token to send.
    ///
    /// # Errors
    /// [`TokenError`] when Google gives out none.
    pub async fn token(&self) -> Result<SecretString, TokenError> {
        match self {
            Self::Account(tokens, scope) => tokens.token(*scope).await,
            Self::Emulator => Ok("owner".into()),
        }
    }

    /// The token to send after one was refused with 401, if there can be another.
    ///
    /// # Errors
    /// [`TokenError`] when Google gives out none.
    pub async fn another(
        &self,
        refused: &SecretString,
    ) -> Result<Option<SecretString>, TokenError> {
        match self {
            Self::Account(tokens, scope) => tokens.another(*scope, refused).await.map(Some),
            Self::Emulator => Ok(None),
        }
    }
}
