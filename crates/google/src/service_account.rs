//! Service accounts.

mod parts;

use std::fmt;

use portcullis_api_client::BaseUrl;
use serde::Deserialize;

pub use parts::ServiceAccountParts;

use crate::private_key::{InvalidPrivateKey, PrivateKey, SigningFailed};

/// Where Google gives out access tokens.
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// A service account: who calls, and the key that proves it.
#[derive(Clone)]
pub struct ServiceAccount {
    /// The project that it belongs to.
    pub(crate) project_id: String,
    /// Its name, which looks like an e-mail address.
    pub(crate) client_email: String,
    pub(crate) private_key_id: Option<String>,
    pub(crate) private_key: PrivateKey,
    /// Where its access tokens come from.
    pub(crate) token_uri: BaseUrl,
}

/// A field of a service account, named as its JSON names it. As a setting it
/// has the prefix `FIREBASE_` and upper case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountField {
    /// `type`
    Type,
    /// `project_id`
    ProjectId,
    /// `private_key_id`
    PrivateKeyId,
    /// `private_key`, or the file that holds it.
    PrivateKey,
    /// `client_email`
    ClientEmail,
    /// `client_id`
    ClientId,
    /// `token_uri`
    TokenUri,
}

impl fmt::Display for AccountField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type => "type",
            Self::ProjectId => "project_id",
            Self::PrivateKeyId => "private_key_id",
            Self::PrivateKey => "private_key",
            Self::ClientEmail => "client_email",
            Self::ClientId => "client_id",
            Self::TokenUri => "token_uri",
        })
    }
}

/// Why there is no service account. It names the field and never tells what
/// stands in it.
#[derive(Debug, thiserror::Error)]
pub enum InvalidServiceAccount {
    /// The text is no JSON object.
    #[error("the service account is not a JSON object")]
    NotJson,
    /// The field is missing or blank.
    #[error("the service account's {0} is missing")]
    Missing(AccountField),
    /// The field is not what it has to be.
    #[error("the service account's {0} is malformed")]
    Malformed(AccountField),
    /// The private key cannot be used.
    #[error("the service account's private_key cannot be used")]
    PrivateKey(#[source] InvalidPrivateKey),
    /// The file with the private key is there and cannot be read.
    #[error("the file with the service account's private_key cannot be read")]
    KeyFile(#[source] std::io::Error),
}

/// A service account's JSON, as Google's console hands it out. Other fields,
/// such as the addresses of certificates, are not needed.
#[derive(Deserialize)]
struct AccountJson {
    #[serde(rename = "type")]
    kind: Option<String>,
    project_id: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<String>,
    client_email: Option<String>,
    client_id: Option<String>,
    token_uri: Option<String>,
}

impl ServiceAccount {
    /// Reads the JSON that Google's console hands out.
    ///
    /// # Errors
    /// [`InvalidServiceAccount`] says which field is missing or wrong.
    pub fn from_json(text: &str) -> Result<Self, InvalidServiceAccount> {
        // serde's own message would quote what it stumbled upon.
        let json: AccountJson =
            serde_json::from_str(text).map_err(|_| InvalidServiceAccount::NotJson)?;
        match json.kind.as_deref() {
            Some("service_account") => {}
            None => return Err(InvalidServiceAccount::Missing(AccountField::Type)),
            Some(_) => return Err(InvalidServiceAccount::Malformed(AccountField::Type)),
        }
        ServiceAccountParts {
            project_id: json.project_id,
            private_key_id: json.private_key_id,
            private_key: json.private_key.map(Into::into),
            private_key_file: None,
            client_email: json.client_email,
            client_id: json.client_id,
            token_uri: json.token_uri,
        }
        .assemble()
    }

    /// The project that it belongs to.
    #[must_use]
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// Its name: what signed URLs name as their signer.
    #[must_use]
    pub fn client_email(&self) -> &str {
        &self.client_email
    }

    /// Its key's name.
    #[must_use]
    pub fn private_key_id(&self) -> Option<&str> {
        self.private_key_id.as_deref()
    }

    /// Signs bytes with RS256, for example a signed URL's.
    ///
    /// # Errors
    /// [`SigningFailed`] when there is no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.private_key.sign(message)
    }

    /// Signs a JSON Web Token of these claims, with the key's name in its header.
    ///
    /// # Errors
    /// [`SigningFailed`] when there is no randomness, or the claims are no JSON.
    pub fn sign_token(&self, claims: &impl serde::Serialize) -> Result<String, SigningFailed> {
        self.private_key.token(self.private_key_id(), claims)
    }
}

/// Tells no key.
impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("project_id", &self.project_id)
            .field("client_email", &self.client_email)
            .field("private_key_id", &self.private_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
