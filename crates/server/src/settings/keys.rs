//! What tokens are made with.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_crypto::{JwtAlgorithm, ServerSecret};

use super::ServerSettings;
use super::parse;
use super::reader::{Reader, Wrong};

/// What tokens are made with.
pub(crate) struct KeySettings {
    pub(crate) secret: Option<ServerSecret>,
    pub(crate) previous_secret: Option<ServerSecret>,
    pub(crate) algorithm: JwtAlgorithm,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) folder: Option<PathBuf>,
    overlap: Option<Duration>,
}

/// How long others may keep the published keys (`Cache-Control` of the key set), and as
/// much again.
const CACHED: Duration = Duration::from_mins(10);
/// Instances look at the folder every two seconds.
const LEAST_OVERLAP: Duration = Duration::from_secs(5);

impl KeySettings {
    /// How long a new key is published before it signs, given the longest life of an
    /// access token.
    pub(crate) fn overlap(&self, longest: Duration) -> Duration {
        self.overlap.unwrap_or(longest + CACHED)
    }
}

pub(super) fn keys(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
    is_embedded: bool,
) -> Result<KeySettings, Wrong> {
    let secret = reader.optional("SECRET_KEY", parse::secret);
    if !is_embedded && matches!(secret, Ok(None)) {
        reader.object("SECRET_KEY", "must be set with Postgres: all instances share it");
    }
    let previous_secret = reader.optional("SECRET_KEY_PREVIOUS", parse::secret);
    let algorithm = reader.get("JWT_ALGORITHM", parse::algorithm);
    let issuer = reader.optional("JWT_ISSUER", parse::one_line);
    let audience = reader.get("JWT_AUDIENCE", parse::one_line);
    let folder = reader.optional("JWT_KEYS_DIR", |text| Ok(PathBuf::from(text)));
    let overlap = reader.optional("JWT_KEY_OVERLAP", |text| {
        let overlap = parse::duration(text)?;
        if overlap < LEAST_OVERLAP {
            return Err("must be at least 5s: instances look for keys every 2 s".into());
        }
        Ok(overlap)
    });
    let is_asymmetric = algorithm.as_ref().is_ok_and(|known| *known != JwtAlgorithm::Hs256);
    if !is_embedded && is_asymmetric && matches!(folder, Ok(None)) {
        reader.object("JWT_KEYS_DIR", "must be set with Postgres: all instances share the keys");
    }
    Ok(KeySettings {
        secret: secret?,
        previous_secret: previous_secret?,
        algorithm: algorithm?,
        issuer: issuer?
            .unwrap_or_else(|| server.map(|server| server.public_url.clone()).unwrap_or_default()),
        audience: audience?,
        folder: folder?,
        overlap: overlap?,
    })
}
