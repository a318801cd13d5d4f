//! A service account, part by part.

use std::io::ErrorKind;
use std::path::PathBuf;

use portcullis_api_client::BaseUrl;
use secrecy::{ExposeSecret, SecretString};

use super::{AccountField, InvalidServiceAccount, ServiceAccount, TOKEN_URI};
use crate::private_key::PrivateKey;

/// A service account's parts, as settings give them. What is blank counts as
/// missing.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountParts {
    /// `FIREBASE_PROJECT_ID`
    pub project_id: Option<String>,
    /// `FIREBASE_PRIVATE_KEY_ID`; Google finds the key without it.
    pub private_key_id: Option<String>,
    /// `FIREBASE_PRIVATE_KEY`: PEM; its line ends may be written `\n`.
    pub private_key: Option<SecretString>,
    /// A file with the key, which wins over `private_key` if there is such a file.
    pub private_key_file: Option<PathBuf>,
    /// `FIREBASE_CLIENT_EMAIL`
    pub client_email: Option<String>,
    /// `FIREBASE_CLIENT_ID`: digits; nothing is done with it but checking it.
    pub client_id: Option<String>,
    /// Where access tokens come from, if not from Google itself.
    pub token_uri: Option<String>,
}

impl ServiceAccountParts {
    /// Puts the account together. Reads the key's file, if there is one.
    ///
    /// # Errors
    /// [`InvalidServiceAccount`] says which part is missing or wrong.
    pub fn assemble(self) -> Result<ServiceAccount, InvalidServiceAccount> {
        let project_id = required(AccountField::ProjectId, self.project_id)?;
        // What Google allows: it becomes part of URLs, issuers and audiences.
        let is_project = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte);
        if project_id.starts_with('.') || !project_id.bytes().all(is_project) {
            return Err(InvalidServiceAccount::Malformed(AccountField::ProjectId));
        }
        let client_email = required(AccountField::ClientEmail, self.client_email)?;
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !client_email.split_once('@').is_some_and(|(name, host)| is_word(name) && is_word(host))
        {
            return Err(InvalidServiceAccount::Malformed(AccountField::ClientEmail));
        }
        let private_key_id = filled(self.private_key_id);
        if private_key_id.as_deref().is_some_and(|id| !is_word(id)) {
            return Err(InvalidServiceAccount::Malformed(AccountField::PrivateKeyId));
        }
        let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
        if filled(self.client_id).is_some_and(|id| !is_number(&id)) {
            return Err(InvalidServiceAccount::Malformed(AccountField::ClientId));
        }
        let token_uri = filled(self.token_uri).unwrap_or_else(|| TOKEN_URI.to_owned());
        let token_uri: BaseUrl = token_uri
            .parse()
            .map_err(|_| InvalidServiceAccount::Malformed(AccountField::TokenUri))?;
        let pem = pem(self.private_key_file, self.private_key)?;
        let private_key =
            PrivateKey::from_pem(pem.expose_secret()).map_err(InvalidServiceAccount::PrivateKey)?;
        Ok(ServiceAccount { project_id, client_email, private_key_id, private_key, token_uri })
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn required(field: AccountField, text: Option<String>) -> Result<String, InvalidServiceAccount> {
    filled(text).ok_or(InvalidServiceAccount::Missing(field))
}

/// What the file holds, if there is one; else what was given.
fn pem(
    file: Option<PathBuf>,
    given: Option<SecretString>,
) -> Result<SecretString, InvalidServiceAccount> {
    if let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) {
        match std::fs::read_to_string(file) {
            Ok(pem) => return Ok(pem.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(InvalidServiceAccount::KeyFile(error)),
        }
    }
    let given = given.filter(|given| !given.expose_secret().trim().is_empty());
    given.ok_or(InvalidServiceAccount::Missing(AccountField::PrivateKey))
}
