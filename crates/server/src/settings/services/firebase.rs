//! Firebase: whose project, and what of it is used.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_firebase::FirebaseSettings;
use portcullis_google::{AccountField, InvalidServiceAccount, ServiceAccount, ServiceAccountParts};
use secrecy::SecretString;

use super::super::parse;
use super::super::reader::{Reader, Wrong};

/// How long a call of Google's may take: somebody waits for a login.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// What of Firebase is used.
pub(crate) struct FirebaseServices {
    pub(crate) account: FirebaseAccount,
    /// Whether people log in with its ID tokens.
    pub(crate) login: bool,
    /// Whether devices are notified by it.
    pub(crate) messaging: bool,
    pub(crate) addresses: FirebaseSettings,
}

/// As whom Firebase is called.
pub(crate) enum FirebaseAccount {
    /// As a service account.
    Service(Box<ServiceAccount>),
    /// As anybody, at the emulator, whose tokens nobody signed.
    Emulator { host: String, project: String },
}

pub(super) fn firebase(
    reader: &mut Reader,
    is_development: bool,
) -> Result<Option<FirebaseServices>, Wrong> {
    let login = reader.get("FIREBASE_LOGIN", parse::switch);
    let messaging = reader.get("FIREBASE_MESSAGING", parse::switch);
    let addresses = addresses(reader);
    let emulator = reader.optional("FIREBASE_AUTH_EMULATOR_HOST", parse::one_line);
    let parts = parts(reader);
    let (login, messaging, addresses, parts) = (login?, messaging?, addresses?, parts?);
    if !(login || messaging) {
        return Ok(None);
    }
    let account = match emulator? {
        Some(_) if !is_development => {
            reader.object(
                "FIREBASE_AUTH_EMULATOR_HOST",
                "is for development: an embedded database, and HOST a loopback address; the \
                 emulator's tokens are signed by nobody",
            );
            return Err(Wrong);
        }
        Some(_) if messaging => {
            reader.object("FIREBASE_MESSAGING", "has no emulator");
            return Err(Wrong);
        }
        Some(host) => {
            let Some(project) = parts.project_id else {
                reader.object("FIREBASE_PROJECT_ID", "must be set: Firebase is used");
                return Err(Wrong);
            };
            FirebaseAccount::Emulator { host, project }
        }
        None => FirebaseAccount::Service(Box::new(assembled(reader, parts)?)),
    };
    Ok(Some(FirebaseServices { account, login, messaging, addresses }))
}

fn addresses(reader: &mut Reader) -> Result<FirebaseSettings, Wrong> {
    let identity_url = reader.optional("FIREBASE_IDENTITY_URL", parse::base_url);
    let keys_url = reader.optional("FIREBASE_KEYS_URL", parse::base_url);
    let messaging_url = reader.optional("FIREBASE_MESSAGING_URL", parse::base_url);
    Ok(FirebaseSettings {
        identity_url: identity_url?,
        keys_url: keys_url?,
        messaging_url: messaging_url?,
        deadline: DEADLINE,
        ..FirebaseSettings::default()
    })
}

fn parts(reader: &mut Reader) -> Result<ServiceAccountParts, Wrong> {
    let text = |text: &str| Ok(text.to_owned());
    let project_id = reader.optional("FIREBASE_PROJECT_ID", text);
    let private_key_id = reader.optional("FIREBASE_PRIVATE_KEY_ID", text);
    let private_key = reader.optional("FIREBASE_PRIVATE_KEY", |text| Ok(SecretString::from(text)));
    let private_key_file =
        reader.optional("FIREBASE_PRIVATE_KEY_PATH", |text| Ok(PathBuf::from(text)));
    let client_email = reader.optional("FIREBASE_CLIENT_EMAIL", text);
    let client_id = reader.optional("FIREBASE_CLIENT_ID", text);
    let token_uri = reader.optional("FIREBASE_TOKEN_URI", parse::url);
    Ok(ServiceAccountParts {
        project_id: project_id?,
        private_key_id: private_key_id?,
        private_key: private_key?,
        private_key_file: private_key_file?,
        client_email: client_email?,
        client_id: client_id?,
        token_uri: token_uri?,
    })
}

/// The setting of a part of the account.
fn setting(field: AccountField) -> &'static str {
    match field {
        AccountField::Type | AccountField::ProjectId => "FIREBASE_PROJECT_ID",
        AccountField::PrivateKeyId => "FIREBASE_PRIVATE_KEY_ID",
        AccountField::PrivateKey => "FIREBASE_PRIVATE_KEY",
        AccountField::ClientEmail => "FIREBASE_CLIENT_EMAIL",
        AccountField::ClientId => "FIREBASE_CLIENT_ID",
        AccountField::TokenUri => "FIREBASE_TOKEN_URI",
    }
}

fn assembled(reader: &mut Reader, parts: ServiceAccountParts) -> Result<ServiceAccount, Wrong> {
    parts.assemble().map_err(|error| {
        match error {
            InvalidServiceAccount::Missing(field) => {
                reader.object(setting(field), "must be set: Firebase is used");
            }
            InvalidServiceAccount::Malformed(field) => {
                reader.object(setting(field), "is malformed");
            }
            InvalidServiceAccount::PrivateKey(why) => {
                reader.object("FIREBASE_PRIVATE_KEY", &format!("cannot be used: {why}"));
            }
            InvalidServiceAccount::KeyFile(why) => {
                reader.object("FIREBASE_PRIVATE_KEY_PATH", &format!("cannot be read: {why}"));
            }
            InvalidServiceAccount::NotJson => {
                reader.object("FIREBASE_PRIVATE_KEY", "is malformed");
            }
        }
        Wrong
    })
}
