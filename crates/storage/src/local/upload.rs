//! An upload on its way into a directory.

use std::io::{self, SeekFrom};
use std::path::Path;

use portcullis_domain::ObjectName;
use portcullis_domain::object::{ObjectAttributes, ObjectMeta};
use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::folder::{is_absent, is_pruned, make_folder};
use super::header::{self, Header};
use crate::checksums::Digests;
use crate::files::growing_file;

/// A file that grows; it is removed when this is dropped before its end.
pub(super) struct Upload {
    file: File,
    path: TempPath,
    digests: Digests,
}

impl Upload {
    pub(super) async fn begin(root: &Path, incoming: &Path) -> io::Result<Self> {
        let growing = match growing_file(incoming) {
            // Somebody has tidied up.
            Err(error) if is_absent(&error) => {
                make_folder(root, incoming).await?;
                growing_file(incoming)?
            }
            growing => growing?,
        };
        let (file, path) = growing.into_parts();
        let mut file = File::from_std(file);
        file.seek(SeekFrom::Start(header::LENGTH as u64)).await?;
        Ok(Self { file, path, digests: Digests::new() })
    }

    pub(super) async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digests.update(piece);
        self.file.write_all(piece).await
    }

    /// Puts it in its place.
    pub(super) async fn complete(
        mut self,
        name: &ObjectName,
        attributes: ObjectAttributes,
        root: &Path,
        target: &Path,
    ) -> io::Result<ObjectMeta> {
        let (length, checksums) = self.digests.finish();
        let meta = ObjectMeta {
            content_type: Some(attributes.content_type),
            checksums,
            metadata: attributes.metadata.into_inner(),
            ..ObjectMeta::new(name.clone(), length)
        };
        let header = Header::of(&meta);
        self.file.rewind().await?;
        self.file.write_all(&header.to_block()?).await?;
        // An empty object's file ends with its header.
        self.file.sync_all().await?;
        place(self.path, root, target).await?;
        Ok(header.into_meta(meta.name, length))
    }
}

/// Renames a file to where it belongs.
async fn place(mut path: TempPath, root: &Path, target: &Path) -> io::Result<()> {
    let folder = target.parent().unwrap_or(target);
    for attempt in 1.. {
        make_folder(root, folder).await?;
        match path.persist(target) {
            Err(error) if is_pruned(&error.error, attempt) => path = error.path,
            done => return done.map_err(|error| error.error),
        }
    }
    Ok(())
}
