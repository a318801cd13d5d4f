//! The tokens that requests carry.
//! <https://developer.apple.com/documentation/appstoreserverapi/generating-json-web-tokens-for-api-requests>

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portcullis_domain::{Cause, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::settings::{AppStoreSettings, InvalidAppStoreSettings};

/// How long a token works; Apple permits 60 minutes.
const LIFETIME: Duration = Duration::from_mins(5);

/// Signs tokens for one app.
pub(crate) struct TokenSigner {
    key: EncodingKey,
    header: Header,
    issuer_id: String,
    bundle_id: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: i64,
    exp: i64,
    aud: &'static str,
    bid: &'a str,
}

impl TokenSigner {
    /// Reads the key, from its file if there is one, and tries it.
    pub(crate) fn new(settings: &AppStoreSettings) -> Result<Self, InvalidAppStoreSettings> {
        let text = private_key(settings)?;
        let key = EncodingKey::from_ec_pem(text.expose_secret().as_bytes())
            .map_err(|_| InvalidAppStoreSettings::PrivateKey)?;
        let header = Header { kid: Some(settings.key_id.clone()), ..Header::new(Algorithm::ES256) };
        let (issuer_id, bundle_id) = (settings.issuer_id.clone(), settings.bundle_id.clone());
        let signer = Self { key, header, issuer_id, bundle_id };
        match signer.token(Timestamp::from_seconds(0)) {
            Ok(_) => Ok(signer),
            // A key on another curve is read like one on this.
            Err(_) => Err(InvalidAppStoreSettings::PrivateKey),
        }
    }

    /// A token that works from `now` on.
    pub(crate) fn token(&self, now: Timestamp) -> Result<SecretString, Cause> {
        let claims = Claims {
            iss: &self.issuer_id,
            iat: now.as_seconds(),
            exp: (now + LIFETIME).as_seconds(),
            aud: "appstoreconnect-v1",
            bid: &self.bundle_id,
        };
        Ok(encode(&self.header, &claims, &self.key)?.into())
    }
}

fn private_key(settings: &AppStoreSettings) -> Result<SecretString, InvalidAppStoreSettings> {
    match (&settings.private_key_path, &settings.private_key) {
        (Some(path), _) => std::fs::read_to_string(path).map(Into::into).map_err(|source| {
            InvalidAppStoreSettings::PrivateKeyFile { path: path.clone(), source }
        }),
        (None, Some(text)) => Ok(text.expose_secret().replace("\\n", "\n").into()),
        (None, None) => Err(InvalidAppStoreSettings::MissingPrivateKey),
    }
}
