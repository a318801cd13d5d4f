//! What the system tells of files and folders.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

/// Who may do what with a file, if it is there.
pub(super) fn mode(file: &Path) -> Option<u32> {
    Some(std::fs::metadata(file).ok()?.mode() & 0o777)
}

/// Bytes that are free where a folder is, or will be made.
pub(super) fn room(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(nearest(folder)).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Whether we may make something in a folder, or the folder itself where it is missing;
/// if not, which one keeps us out.
pub(super) fn may_write(folder: &Path) -> Result<(), PathBuf> {
    let (there, access) = (nearest(folder), Access::WRITE_OK | Access::EXEC_OK);
    if there.is_dir() && rustix::fs::access(there, access).is_ok() {
        return Ok(());
    }
    Err(there.to_owned())
}

/// The folder, or the one of those around it that is there.
fn nearest(folder: &Path) -> &Path {
    let mut around = folder.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    around.find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_can_be_made_where_the_nearest_folder_lets_us() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(may_write(place.path()), Ok(()));
        assert_eq!(may_write(&place.path().join("some/where")), Ok(()));
        assert_eq!(may_write(Path::new("some/where")), Ok(()));
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(may_write(&file.join("below")), Err(file));
    }
}
