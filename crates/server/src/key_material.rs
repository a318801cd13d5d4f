//! The server's secret and signing keys, made once where they are not given.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_crypto::{
    JwtAlgorithm, JwtSettings, JwtTokens, KeyFileError, ServerSecret, WeakSecret,
    generate_key_file, load_key_files,
};
use portcullis_domain::ports::Clock;

use crate::key_watch::KeyWatch;
use crate::settings::{Database, KeySettings, Settings};

/// Name of the file that keeps a generated secret, beside the database.
const SECRET_FILE: &str = "secret.key";

/// Why there is nothing to sign with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyMaterialError {
    #[error("SECRET_KEY: the generated one in {0} cannot be used")]
    Io(PathBuf, #[source] std::io::Error),
    #[error("SECRET_KEY: the one in {0} {1}")]
    Weak(PathBuf, WeakSecret),
    #[error("JWT_KEYS_DIR")]
    Keys(#[from] KeyFileError),
}

/// The folder of the embedded database; with another, the settings insist on
/// what would be kept there.
fn data_folder(database: &Database) -> PathBuf {
    match database {
        Database::Sqlite(file) => file.parent().map(Path::to_owned).unwrap_or_default(),
        Database::Postgres(_) => PathBuf::new(),
    }
}

/// Where a generated secret is kept.
pub(crate) fn secret_file(database: &Database) -> PathBuf {
    data_folder(database).join(SECRET_FILE)
}

/// Where the keys of asymmetric algorithms are kept.
pub(crate) fn key_folder(keys: &KeySettings, database: &Database) -> PathBuf {
    keys.folder.clone().unwrap_or_else(|| data_folder(database).join("keys"))
}

/// The configured secret, or the one beside the database, made at first.
pub(crate) fn server_secret(settings: &Settings) -> Result<ServerSecret, KeyMaterialError> {
    if let Some(secret) = &settings.keys.secret {
        return Ok(secret.clone());
    }
    let file = secret_file(&settings.database.database);
    let secret = ServerSecret::generate();
    match write_new(&file, secret.expose()) {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read_secret(file),
        Err(error) => Err(KeyMaterialError::Io(file, error)),
    }
}

/// Reads the secret beside the database.
pub(crate) fn read_secret(file: PathBuf) -> Result<ServerSecret, KeyMaterialError> {
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return Err(KeyMaterialError::Io(file, error)),
    };
    ServerSecret::parse(text.trim_end().into()).map_err(|weak| KeyMaterialError::Weak(file, weak))
}

/// Writes a file that only its owner reads; whole, or not under that name.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    if file.exists() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // A name that no other start has, not even one that crashed here.
    let nonce: String = ServerSecret::generate().expose().chars().take(12).collect();
    let draft = file.with_extension(format!("{nonce}.tmp"));
    let mut handle = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    handle.write_all(text.as_bytes())?;
    handle.sync_all()?;
    // A link, unlike a rename, fails if somebody else was first.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    linked?;
    // The name, too, survives a power cut.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Access tokens by the configured algorithm, and who looks for other keys, if they lie
/// in a folder.
pub(crate) fn access_tokens(
    settings: &Settings,
    secret: &ServerSecret,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<JwtTokens>, Option<KeyWatch>), KeyMaterialError> {
    let keys = &settings.keys;
    let said = JwtSettings { issuer: keys.issuer.clone(), audience: keys.audience.clone() };
    if keys.algorithm == JwtAlgorithm::Hs256 {
        let tokens = JwtTokens::symmetric(said, secret, keys.previous_secret.as_ref());
        return Ok((Arc::new(tokens), None));
    }
    let folder = match &keys.folder {
        Some(folder) => folder.clone(),
        None => own_key_folder(settings, &**clock)?,
    };
    let (tokens, watch) = KeyWatch::open(said, keys.algorithm, folder, Arc::clone(clock))?;
    Ok((tokens, Some(watch)))
}

/// The folder beside the database, with a key in it.
fn own_key_folder(settings: &Settings, clock: &dyn Clock) -> Result<PathBuf, KeyMaterialError> {
    let algorithm = settings.keys.algorithm;
    let folder = key_folder(&settings.keys, &settings.database.database);
    match load_key_files(algorithm, &folder) {
        Err(KeyFileError::Empty(_)) => {}
        Err(KeyFileError::Io(_, error)) if error.kind() == ErrorKind::NotFound => {}
        // What is wrong with a key that is there is told when it is loaded.
        Ok(_) | Err(_) => return Ok(folder),
    }
    // Named after the day, so that a later key sorts behind it.
    let day: String = clock.now().to_string().chars().take(10).collect();
    match generate_key_file(algorithm, &folder, &day) {
        // Another start was faster: its key is as good.
        Err(KeyFileError::Io(_, error)) if error.kind() == ErrorKind::AlreadyExists => Ok(folder),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(folder),
    }
}
