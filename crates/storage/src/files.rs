//! Files of this machine that become content, and content that becomes files.

use std::io;
use std::path::Path;

use futures_util::stream;
use portcullis_domain::Cause;
use portcullis_domain::ports::ContentStream;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// What is read from a file at once: 64 KiB.
const PIECE: usize = 64 * 1024;

/// What is left of an open file. `failed` makes the stream's errors.
pub(crate) fn content_of<E>(file: File, failed: fn(io::Error) -> E) -> ContentStream
where
    E: Into<Cause> + 'static,
{
    Box::pin(stream::try_unfold(file, move |mut file| async move {
        let mut piece = vec![0; PIECE];
        let length = file.read(&mut piece).await.map_err(|error| failed(error).into())?;
        piece.truncate(length);
        Ok((length > 0).then_some((piece, file)))
    }))
}

/// A new file in that folder that is going to be moved to another place. It is
/// removed unless it is kept. Who may read it
/// is what the process's umask says, as of any file that a program makes.
pub(crate) fn growing_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The operating system takes the umask off.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
