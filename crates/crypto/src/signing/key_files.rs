//! Private keys in a folder (`JWT_KEYS_DIR`): `<kid>.pem`, PKCS#8.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use portcullis_domain::Cause;

use super::keys::{JwtAlgorithm, SigningKey};
use crate::system::random_bytes;

/// Why the keys cannot be used. It names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The folder or a file in it could not be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] std::io::Error),
    /// A file holds no key for the configured algorithm.
    #[error("{0}: {1}")]
    Key(PathBuf, Cause),
    /// The folder holds no `.pem` file.
    #[error("{0}: there is no <kid>.pem in it")]
    Empty(PathBuf),
}

/// Reads all keys of a folder, in the order of their names; the last one signs.
///
/// # Errors
/// [`KeyFileError`] when one of them cannot be used, or there is none.
pub fn load_key_files(
    algorithm: JwtAlgorithm,
    folder: &Path,
) -> Result<Vec<SigningKey>, KeyFileError> {
    let io = |error| KeyFileError::Io(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(KeyFileError::Empty(folder.to_owned()));
    }
    files.sort();
    files.into_iter().map(|file| load(algorithm, file)).collect()
}

fn load(algorithm: JwtAlgorithm, file: PathBuf) -> Result<SigningKey, KeyFileError> {
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) => return Err(KeyFileError::Io(file, error)),
    };
    let kid = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let key = match pem::parse(&text) {
        Ok(parsed) => SigningKey::from_pkcs8(algorithm, &kid, parsed.contents(), &text),
        Err(_) => Err("it is not PEM".into()),
    };
    key.map_err(|cause| KeyFileError::Key(file, cause))
}

/// Writes a new key `<kid>.pem`, readable by its owner alone, making the
/// folder where it is missing.
///
/// # Errors
/// [`KeyFileError`] when it cannot be written; a key that is there stays.
pub fn generate_key_file(
    algorithm: JwtAlgorithm,
    folder: &Path,
    kid: &str,
) -> Result<PathBuf, KeyFileError> {
    let file = folder.join(format!("{kid}.pem"));
    let der = match algorithm.generate() {
        Ok(der) => der,
        Err(cause) => return Err(KeyFileError::Key(file, cause)),
    };
    let text = pem::encode(&pem::Pem::new("PRIVATE KEY", der));
    let draft = folder.join(format!("{:032x}.tmp", u128::from_be_bytes(random_bytes())));
    let written = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).and_then(|()| {
        let mut handle =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        handle.write_all(text.as_bytes())?;
        handle.sync_all()?;
        // A link, unlike a rename, replaces nothing; and nobody reads half a key.
        let linked = fs::hard_link(&draft, &file);
        fs::remove_file(&draft)?;
        linked
    });
    match written {
        Ok(()) => Ok(file),
        Err(error) => Err(KeyFileError::Io(file, error)),
    }
}
