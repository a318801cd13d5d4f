//! Between objects and files, and from name to name, in terms of any store.

use std::io;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use portcullis_domain::object::{InvalidObjectName, ObjectAttributes, ObjectMeta, ObjectName};
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_domain::{Cause, FolderName};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use crate::files::{content_of, growing_file};
use crate::guess::content_type_of;

/// Why a file did not become an object, or an object a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is no such file.
    #[error("there is no file {0:?}")]
    NotFound(PathBuf),
    /// The file cannot be read or written.
    #[error("the file {path:?} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] ObjectError),
}

impl FileError {
    fn of(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(path.to_owned()),
            _ => Self::Io { path: path.to_owned(), source },
        }
    }
}

/// The name that a file has as an object: its own, in that folder.
///
/// # Errors
/// [`InvalidObjectName`] if it has no name that an object could have.
pub fn name_of_file(
    file: &Path,
    folder: Option<&FolderName>,
) -> Result<ObjectName, InvalidObjectName> {
    let base = file.file_name().ok_or(InvalidObjectName::Blank)?;
    let base = base.to_str().ok_or(InvalidObjectName::Character)?;
    match folder {
        Some(folder) => folder.object(base),
        None => ObjectName::parse(base),
    }
}

/// Stores a file; without attributes, the content type is guessed from the
/// object's name. The file is only read, whatever happens.
///
/// # Errors
/// [`FileError`] if the file cannot be read or the store fails: then nothing was
/// stored.
pub async fn upload_file(
    objects: &dyn ObjectStore,
    file: &Path,
    name: &ObjectName,
    attributes: Option<ObjectAttributes>,
) -> Result<ObjectMeta, FileError> {
    let of_file = |error| FileError::of(file, error);
    let opened = File::open(file).await.map_err(of_file)?;
    if !opened.metadata().await.map_err(of_file)?.is_file() {
        return Err(of_file(io::ErrorKind::IsADirectory.into()));
    }
    let attributes = attributes.unwrap_or_else(|| content_type_of(name).into());
    match objects.put_stream(name, content_of(opened, Cause::from), attributes).await {
        Err(ObjectError::Content(cause)) => Err(match cause.downcast::<io::Error>() {
            Ok(error) => of_file(*error),
            Err(cause) => ObjectError::Content(cause).into(),
        }),
        stored => Ok(stored?),
    }
}

/// Writes an object into a file, in folders that are made if they are not there.
/// It grows beside its place and takes it when it is complete: what was there
/// stays until then. Who may read it is what the process's umask says.
///
/// # Errors
/// [`FileError`] if the store fails or the file cannot be written: then the place
/// is as it was.
pub async fn download_file(
    objects: &dyn ObjectStore,
    name: &ObjectName,
    file: &Path,
) -> Result<(), FileError> {
    let of_file = |error| FileError::Io { path: file.to_owned(), source: error };
    let mut content = objects.get_stream(name).await?;
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    fs::create_dir_all(parent).await.map_err(of_file)?;
    let growing = growing_file(parent).map_err(of_file)?;
    let (growing, path) = growing.into_parts();
    let mut growing = File::from_std(growing);
    while let Some(piece) = content.next().await {
        growing.write_all(&piece.map_err(of_store)?).await.map_err(of_file)?;
    }
    growing.sync_all().await.map_err(of_file)?;
    path.persist(file).map_err(|error| of_file(error.error))
}

/// The error of a download is an [`ObjectError`] in a box.
fn of_store(cause: Cause) -> ObjectError {
    match cause.downcast::<ObjectError>() {
        Ok(error) => *error,
        Err(cause) => ObjectError::UnexpectedAnswer(cause),
    }
}

/// Gives an object another name: copies it, then deletes it. If the second fails,
/// it has both. To its own name, nothing is done but to look whether it is there.
///
/// # Errors
/// [`ObjectError`] if either fails.
pub async fn move_object(
    objects: &dyn ObjectStore,
    from: &ObjectName,
    to: &ObjectName,
) -> Result<(), ObjectError> {
    if from == to {
        return objects.stat(from).await.map(|_| ());
    }
    objects.copy(from, to).await?;
    objects.delete(from).await
}
