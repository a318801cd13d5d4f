//! Folders, which somebody else may remove at any moment as long as they are empty.

use std::io;
use std::path::Path;

use tokio::fs;

/// How often a folder is made again that was removed.
const ATTEMPTS: u32 = 20;

/// Whether something failed since its folder was removed, and may be done again.
pub(super) fn is_pruned(error: &io::Error, attempt: u32) -> bool {
    error.kind() == io::ErrorKind::NotFound && attempt < ATTEMPTS
}

/// Makes a folder and those that it lies in, below `root`, which is not made: if
/// it is not there, somebody has taken it away with all that was in it.
pub(super) async fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    for attempt in 1.. {
        match make_each(root, folder).await {
            // It was there, and then it was not.
            Err(error) if is_pruned(&error, attempt) && is_there(root).await => {}
            made => return made,
        }
    }
    Ok(())
}

async fn make_each(root: &Path, folder: &Path) -> io::Result<()> {
    let mut path = root.to_owned();
    for name in folder.strip_prefix(root).into_iter().flatten() {
        path.push(name);
        match fs::create_dir(&path).await {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    Ok(())
}

/// Whether it is a folder. One that cannot be looked at is.
pub(super) async fn is_there(folder: &Path) -> bool {
    match fs::metadata(folder).await {
        Ok(found) => found.is_dir(),
        Err(error) => !is_absent(&error),
    }
}

/// Also of what lies below something that is no folder.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Makes a folder with an empty file in it.
pub(super) async fn make_mark(root: &Path, mark: &Path) -> io::Result<()> {
    let folder = mark.parent().unwrap_or(mark);
    for attempt in 1.. {
        make_folder(root, folder).await?;
        match fs::write(mark, "").await {
            Err(error) if is_pruned(&error, attempt) => {}
            made => return made,
        }
    }
    Ok(())
}

/// Removes folders that hold nothing any more, the innermost first, up to
/// `root`.
pub(super) async fn prune(root: &Path, mut folder: &Path) {
    while folder != root {
        // It fails for one that is not empty, and that ends it.
        if fs::remove_dir(folder).await.is_err() {
            return;
        }
        let Some(parent) = folder.parent() else { return };
        folder = parent;
    }
}
