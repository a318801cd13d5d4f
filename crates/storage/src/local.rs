//! A bucket in a directory of this machine, for development.

mod folder;
mod header;
mod layout;
mod links;
mod upload;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use portcullis_domain::object::{
    Entry, Listing, Metadata, ObjectAttributes, ObjectMeta, ObjectName, ObjectPage, SignedUrl,
};
use portcullis_domain::ports::{
    ContentStream, ObjectError, ObjectStore, SignedDownloads, check_lifetime,
};
use portcullis_domain::{ContentType, FolderName, Timestamp};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use self::folder::{is_absent, is_there};
use self::header::Header;
use self::layout::Layout;
use self::upload::Upload;
use crate::files::content_of;

pub use links::{LocalLinks, ShortKey};

/// A directory as a bucket. Several processes may share it.
///
/// An upload grows in a file of its own and is renamed when it is complete; an
/// object's file begins with a line of JSON, 8 KiB long, that holds its
/// attributes. It keeps every law that the clouds keep on a file system that
/// tells upper from lower case, and has neither rights nor copies: it is for
/// development.
#[derive(Debug)]
pub struct Local {
    layout: Layout,
    links: LocalLinks,
}

impl Local {
    /// The bucket in that directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`ObjectError`] when it cannot be made.
    pub async fn open(root: PathBuf, links: LocalLinks) -> Result<Self, ObjectError> {
        let layout = Layout::new(root);
        fs::create_dir_all(layout.incoming()).await.map_err(failure)?;
        Ok(Self { layout, links })
    }

    /// What came of something. Where a file or a folder is absent, perhaps the
    /// directory itself is.
    async fn judged<T>(&self, done: io::Result<T>) -> Result<T, ObjectError> {
        match done {
            Err(error) if is_absent(&error) && !is_there(self.layout.root()).await => {
                Err(ObjectError::BucketNotFound(error.into()))
            }
            done => done.map_err(failure),
        }
    }

    /// An object's file, open behind its header. Whatever becomes of the name
    /// meanwhile, it is this version.
    async fn opened(&self, name: &ObjectName) -> Result<(File, ObjectMeta), ObjectError> {
        match read_header(self.layout.object(name), name).await {
            Err(error) if is_absent(&error) && is_there(self.layout.root()).await => {
                Err(ObjectError::NotFound { name: name.clone(), cause: error.into() })
            }
            opened => self.judged(opened).await,
        }
    }

    /// An object's attributes and its content, of one version.
    async fn read(
        &self,
        name: &ObjectName,
        limit: u64,
    ) -> Result<(ObjectMeta, Vec<u8>), ObjectError> {
        let (mut file, meta) = self.opened(name).await?;
        if meta.size > limit {
            return Err(ObjectError::TooLarge { name: name.clone(), limit });
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).await.map_err(failure)?;
        Ok((meta, content))
    }

    /// The names of objects, and of folders that were made with a slash, below
    /// a folder; by their bytes.
    async fn names(&self, below: Option<FolderName>) -> io::Result<BTreeSet<String>> {
        let (mut names, mut folders) = (BTreeSet::new(), vec![below]);
        while let Some(folder) = folders.pop() {
            let mut entries = match fs::read_dir(self.layout.folder(folder.as_ref())).await {
                // It was removed meanwhile, unless all was.
                Err(error) if is_absent(&error) && is_there(self.layout.root()).await => continue,
                entries => entries?,
            };
            let within = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
            while let Some(entry) = entries.next_entry().await? {
                let file_name = entry.file_name();
                match file_name.to_str().map_or(layout::Entry::Other, Layout::entry) {
                    layout::Entry::Folder(name) => {
                        folders
                            .extend(FolderName::parse(&format!("{within}{name}")).ok().map(Some));
                    }
                    layout::Entry::Object(name) => drop(names.insert(format!("{within}{name}"))),
                    layout::Entry::Mark => drop(names.insert(within.clone())),
                    layout::Entry::Other => {}
                }
            }
        }
        Ok(names)
    }
}

#[async_trait]
impl ObjectStore for Local {
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let content = stream::once(std::future::ready(Ok(content)));
        self.put_stream(name, Box::pin(content), attributes).await
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        mut content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let upload = Upload::begin(self.layout.root(), &self.layout.incoming()).await;
        let mut upload = self.judged(upload).await?;
        while let Some(piece) = content.next().await {
            let piece = piece.map_err(ObjectError::Content)?;
            upload.write(&piece).await.map_err(failure)?;
        }
        let target = self.layout.object(name);
        let stored = upload.complete(name, attributes, self.layout.root(), &target).await;
        self.judged(stored).await
    }

    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError> {
        Ok(self.read(name, limit).await?.1)
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError> {
        Ok(content_of(self.opened(name).await?.0, failure))
    }

    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError> {
        Ok(self.opened(name).await?.1)
    }

    async fn list(&self, listing: Listing) -> Result<ObjectPage, ObjectError> {
        let below = listing.prefix.as_str().rsplit_once('/').map(|(folder, _)| folder);
        let below = below.and_then(|folder| FolderName::parse(folder).ok());
        let names = self.judged(self.names(below).await).await?;
        let (entries, next) = listing.page_of(names.iter().map(String::as_str));
        let mut page = ObjectPage { next, ..ObjectPage::default() };
        for entry in entries {
            match entry {
                Entry::Folder(folder) => page.folders.push(folder),
                Entry::Object(name) => match self.stat(&name).await {
                    Ok(meta) => page.objects.push(meta),
                    // It was deleted meanwhile.
                    Err(ObjectError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(page)
    }

    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError> {
        let made = folder::make_mark(self.layout.root(), &self.layout.mark(folder)).await;
        self.judged(made).await
    }

    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError> {
        let (file, meta) = self.opened(from).await?;
        if from == to {
            return Ok(());
        }
        let attributes = ObjectAttributes {
            content_type: meta.content_type.unwrap_or_else(ContentType::unknown),
            metadata: Metadata::new(meta.metadata).map_err(|error| {
                // Somebody has written into the file.
                ObjectError::UnexpectedAnswer(error.into())
            })?,
        };
        self.put_stream(to, content_of(file, failure), attributes).await.map(|_| ())
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        match fs::remove_file(self.layout.object(name)).await {
            // That it was not there is no failure.
            Err(error) if is_absent(&error) && is_there(self.layout.root()).await => {}
            removed => self.judged(removed).await?,
        }
        let folder = self.layout.folder(name.folder().as_ref());
        folder::prune(self.layout.root(), &folder).await;
        Ok(())
    }

    async fn delete_many(&self, names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>> {
        let mut results = Vec::with_capacity(names.len());
        for name in &names {
            results.push(self.delete(name).await);
        }
        results
    }

    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError> {
        check_lifetime(lifetime)?;
        Ok(self.links.sign(name, lifetime))
    }

    fn public_url(&self, name: &ObjectName) -> Option<String> {
        Some(self.links.plain(name))
    }
}

async fn read_header(path: PathBuf, name: &ObjectName) -> io::Result<(File, ObjectMeta)> {
    let mut file = File::open(path).await?;
    let metadata = file.metadata().await?;
    let mut block = vec![0; header::LENGTH];
    file.read_exact(&mut block).await?;
    let header = Header::from_block(&block)?;
    let mut meta = header.into_meta(name.clone(), metadata.len() - header::LENGTH as u64);
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    meta.modified = Some(Timestamp::from_micros(0) + modified);
    Ok((file, meta))
}

fn failure(error: io::Error) -> ObjectError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ObjectError::Denied(error.into())
        }
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            ObjectError::UnexpectedAnswer(error.into())
        }
        io::ErrorKind::InvalidFilename => ObjectError::Refused(error.into()),
        // Also a full disk: it will be emptied.
        _ => ObjectError::Unavailable(error.into()),
    }
}

#[async_trait]
impl SignedDownloads for Local {
    async fn open(
        &self,
        name: &ObjectName,
        expires: &str,
        signature: &str,
        limit: u64,
    ) -> Result<Option<(ObjectMeta, Vec<u8>)>, ObjectError> {
        if !self.links.is_valid(name, expires, signature) {
            return Ok(None);
        }
        match self.read(name, limit).await {
            Err(ObjectError::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }
}
