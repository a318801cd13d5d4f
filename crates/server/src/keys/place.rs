//! Where keys lie, and how long what they sign lives.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_crypto::{JwtAlgorithm, KeyFile, KeyFileError, list_key_files};

use crate::key_material::key_folder;
use crate::settings::Settings;

/// The folder of keys, and what the settings say of them.
pub(super) struct Place {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) folder: PathBuf,
    /// How long a new key is published before it signs.
    pub(super) overlap: Duration,
    /// The longest life of an access token.
    pub(super) longest: Duration,
}

/// There are no keys but a secret; how that is replaced.
pub(super) struct SecretInstead {
    session: Duration,
}

impl fmt::Display for SecretInstead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = humantime::format_duration(self.session);
        write!(
            f,
            "JWT_ALGORITHM is HS256: there are no key files, SECRET_KEY signs. To replace it:\n  \
             1. set SECRET_KEY_PREVIOUS to the secret of now, and SECRET_KEY to a new one\n     \
             (openssl rand -hex 32); without a SECRET_KEY, the one of now is in secret.key beside\n     \
             the database\n  \
             2. restart every instance, quickly: one that was not refuses what the others sign\n  \
             3. unset SECRET_KEY_PREVIOUS when the sessions from before have ended or been\n     \
             refreshed, after {session} at the latest, and restart again\n\
             An asymmetric JWT_ALGORITHM (EdDSA) is rotated without a restart."
        )
    }
}

impl Place {
    /// Where the settings say, or what to do instead.
    pub(super) fn of_settings() -> Result<Result<Self, SecretInstead>, Box<dyn Error>> {
        let settings = Settings::load()?;
        let (json, form) = (settings.rules.json, settings.rules.form);
        if settings.keys.algorithm == JwtAlgorithm::Hs256 {
            return Ok(Err(SecretInstead { session: json.session_ttl.max(form.session_ttl) }));
        }
        let longest = json.access_ttl.max(form.access_ttl);
        Ok(Ok(Self {
            algorithm: settings.keys.algorithm,
            folder: key_folder(&settings.keys, &settings.database.database),
            overlap: settings.keys.overlap(longest),
            longest,
        }))
    }

    /// The keys in the order of their names; none where no folder is.
    pub(super) fn files(&self) -> Result<Vec<KeyFile>, KeyFileError> {
        match list_key_files(&self.folder) {
            Err(KeyFileError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {
                Ok(Vec::new())
            }
            listed => listed,
        }
    }

    pub(super) fn shown(&self) -> impl fmt::Display {
        self.folder.display()
    }
}
