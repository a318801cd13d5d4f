//! Private keys in a folder (`JWT_KEYS_DIR`): `<kid>.pem`, PKCS#8.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use portcullis_domain::{Cause, Timestamp};

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

/// A key's file, as far as it can be told without reading the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The name of its key.
    pub kid: String,
    /// The file.
    pub path: PathBuf,
    /// Who may do what with it (the nine bits of `rwxrwxrwx`).
    pub mode: u32,
    /// When it came to be what and where it is.
    pub since: Timestamp,
}

/// The keys of a folder in the order of their names.
///
/// # Errors
/// [`KeyFileError::Io`] when the folder cannot be read.
pub fn list_key_files(folder: &Path) -> Result<Vec<KeyFile>, KeyFileError> {
    let mut files = Vec::new();
    for path in paths(folder)? {
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            // It was removed a moment ago.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(KeyFileError::Io(path, error)),
        };
        // Not the time of its last change, which a copy may bring along.
        let micros = found.ctime() * 1_000_000 + found.ctime_nsec() / 1_000;
        files.push(KeyFile {
            kid: kid_of(&path),
            path,
            mode: found.mode() & 0o777,
            since: Timestamp::from_micros(micros),
        });
    }
    Ok(files)
}

/// The files that hold keys, in the order of their names.
fn paths(folder: &Path) -> Result<Vec<PathBuf>, KeyFileError> {
    let io = |error| KeyFileError::Io(folder.to_owned(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn kid_of(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads all keys of a folder, in the order of their names. The last one signs, unless
/// its name says that its time is still to come.
///
/// # Errors
/// [`KeyFileError`] when one of them cannot be used, or there is none.
pub fn load_key_files(
    algorithm: JwtAlgorithm,
    folder: &Path,
) -> Result<Vec<SigningKey>, KeyFileError> {
    let files = paths(folder)?;
    if files.is_empty() {
        return Err(KeyFileError::Empty(folder.to_owned()));
    }
    files.into_iter().map(|file| load(algorithm, file)).collect()
}

fn load(algorithm: JwtAlgorithm, file: PathBuf) -> Result<SigningKey, KeyFileError> {
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) => return Err(KeyFileError::Io(file, error)),
    };
    let kid = kid_of(&file);
    let key = match pem::parse(&text) {
        Ok(parsed) => SigningKey::from_pkcs8(algorithm, &kid, parsed.contents(), &text),
        Err(_) => Err("it is not PEM".into()),
    };
    key.map_err(|cause| KeyFileError::Key(file, cause))
}

/// Writes a new key `<kid>.pem`, readable by its owner alone, or by whoever may read
/// the newest key that is there, making the folder where it is missing.
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
    let written = make_folder(folder).and_then(|()| {
        let drafted = write_draft(folder, &draft, text.as_bytes());
        // A link, unlike a rename, replaces nothing; and nobody reads half a key.
        let linked = drafted.and_then(|()| fs::hard_link(&draft, &file));
        let removed = fs::remove_file(&draft);
        linked?;
        removed?;
        fs::File::open(folder)?.sync_all()
    });
    match written {
        Ok(()) => Ok(file),
        Err(error) => Err(KeyFileError::Io(file, error)),
    }
}

/// A folder that root makes where others are at home would keep them out.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let (made, home) = (fs::metadata(folder)?, fs::metadata(parent.unwrap_or(Path::new(".")))?);
    if made.uid() == home.uid() {
        return Ok(());
    }
    // Its own user may do so later; a path in their folder is not to be trusted by root.
    drop(fs::remove_dir(folder));
    let why = "it is missing; make it first, as the user that the server runs as";
    Err(std::io::Error::new(ErrorKind::PermissionDenied, why))
}

/// Writes a key under a name that nobody looks for.
fn write_draft(folder: &Path, draft: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut handle = options.write(true).create_new(true).mode(0o600).open(draft)?;
    handle.write_all(text)?;
    belong_like_the_others(folder, &handle)?;
    handle.sync_all()
}

/// What root makes for a server that runs as somebody else must be theirs to read:
/// like the newest key, or else the folder. By the handle: the path may lead
/// elsewhere by now.
fn belong_like_the_others(folder: &Path, made: &fs::File) -> std::io::Result<()> {
    let newest = paths(folder).ok().and_then(|mut files| files.pop());
    let like = newest.as_ref().map(fs::metadata).transpose()?;
    let owner = like.as_ref().map_or_else(|| fs::metadata(folder), |like| Ok(like.clone()))?;
    let own = made.metadata()?;
    let is_by_group = like.as_ref().is_some_and(|like| like.mode() & 0o040 != 0);
    if owner.uid() != own.uid() || (is_by_group && owner.gid() != own.gid()) {
        fchown(made, Some(owner.uid()), Some(owner.gid()))?;
    }
    match like {
        // Readable by a group, perhaps; never by all, and written by nobody else.
        Some(like) => made.set_permissions(fs::Permissions::from_mode(like.mode() & 0o640)),
        None => Ok(()),
    }
}

/// Removes a key: nothing that it signed verifies any more, here.
///
/// # Errors
/// [`KeyFileError::Io`] when it cannot be removed.
pub fn remove_key_file(file: &KeyFile) -> Result<(), KeyFileError> {
    let folder = file.path.parent().unwrap_or(Path::new("."));
    let removed =
        remove_all_names(folder, &file.path).and_then(|()| fs::File::open(folder)?.sync_all());
    removed.map_err(|error| KeyFileError::Io(file.path.clone(), error))
}

/// A crash while it was made may have left it under another name, too.
fn remove_all_names(folder: &Path, file: &Path) -> std::io::Result<()> {
    let key = fs::metadata(file)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_draft = path.extension().is_some_and(|extension| extension == "tmp");
        let is_same = |found: fs::Metadata| (found.dev(), found.ino()) == (key.dev(), key.ino());
        if is_draft && fs::symlink_metadata(&path).is_ok_and(is_same) {
            fs::remove_file(&path)?;
        }
    }
    fs::remove_file(file)
}
