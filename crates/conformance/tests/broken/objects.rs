//! A bucket with a defect.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use portcullis_conformance::Bucket;
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::object::{
    Checksums, Listing, Metadata, ObjectAttributes, ObjectMeta, ObjectName, ObjectPage, PageToken,
    SignedUrl,
};
use portcullis_domain::ports::{ContentStream, ObjectError, ObjectStore};
use portcullis_domain::{ContentType, FolderName};
use portcullis_memory::MemoryObjects;

use super::Defect;

struct BrokenObjects {
    inner: MemoryObjects,
    defect: Defect,
    /// What [`Defect::LinkCopies`] has copied, and to where.
    links: Mutex<Vec<(ObjectName, ObjectName)>>,
}

/// A bucket with that defect.
pub(crate) fn broken_bucket(defect: Defect) -> Bucket {
    let inner = MemoryObjects::new(Arc::new(ManualClock::at(START)));
    Bucket::of(BrokenObjects { inner, defect, links: Mutex::default() }, ())
}

impl BrokenObjects {
    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    /// As what a name is known.
    fn name(&self, name: &ObjectName) -> ObjectName {
        if self.has(Defect::FoldCase) {
            ObjectName::parse(&name.as_str().to_lowercase()).unwrap()
        } else {
            name.clone()
        }
    }

    /// What is stored although an upload has not ended.
    async fn store_half(&self, name: &ObjectName, content: Vec<u8>, attributes: &ObjectAttributes) {
        self.inner.put(name, content, attributes.clone()).await.unwrap();
    }
}

#[async_trait]
impl ObjectStore for BrokenObjects {
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        mut attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let name = self.name(name);
        if self.has(Defect::LoseFields) {
            attributes = ContentType::unknown().into();
        }
        if self.has(Defect::CommitHalf) {
            let half = content[..content.len() / 2].to_vec();
            self.store_half(&name, half, &attributes).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if self.has(Defect::Overwrite)
            && let Ok(old) = self.inner.get(&name, u64::MAX).await
            && old.len() > content.len()
        {
            // As a file is overwritten that nobody has cut off.
            let content = [&content, &old[content.len()..]].concat();
            return self.inner.put(&name, content, attributes).await;
        }
        self.inner.put(&name, content, attributes.clone()).await?;
        let links = self.links.lock().unwrap().clone();
        for (from, to) in links {
            if from == name {
                self.inner.copy(&from, &to).await?;
            }
        }
        self.stat(&name).await
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        mut content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        if self.has(Defect::CommitOnDrop) {
            self.store_half(name, Vec::new(), &attributes).await;
            // A moment at which its caller may be cancelled, however slow the machine.
            tokio::task::yield_now().await;
        }
        let mut received = Vec::new();
        while let Some(piece) = content.next().await {
            match piece {
                Ok(piece) if self.has(Defect::LoseFields) => received = piece,
                Ok(piece) => received.extend(piece),
                Err(_) if self.has(Defect::SwallowConflicts) => break,
                Err(cause) => return Err(ObjectError::Content(cause)),
            }
        }
        self.put(name, received, attributes).await
    }

    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError> {
        if self.has(Defect::BeUnavailable) {
            return Ok(self.inner.get(name, limit).await.unwrap_or_default());
        }
        let limit = if self.has(Defect::AllowOneMore) { limit + 1 } else { limit };
        self.inner.get(&self.name(name), limit).await
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError> {
        let content = self.inner.get_stream(&self.name(name)).await?;
        if self.has(Defect::LoseFields) {
            return Ok(Box::pin(content.map_ok(|piece| piece.into_iter().skip(1).collect())));
        }
        Ok(content)
    }

    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError> {
        let mut meta = self.inner.stat(&self.name(name)).await?;
        meta.name = name.clone();
        if self.has(Defect::LoseFields) {
            meta.size = 0;
        }
        if self.has(Defect::OneKey) {
            meta.etag = Some("the one etag".into());
        }
        if self.has(Defect::NewKeyEachTime) {
            meta.checksums = Checksums { crc32c: Some(1), ..Checksums::default() };
        }
        Ok(meta)
    }

    async fn list(&self, mut listing: Listing) -> Result<ObjectPage, ObjectError> {
        if self.has(Defect::IgnoreFilters) {
            listing.prefix = portcullis_domain::object::NamePrefix::default();
        }
        if self.has(Defect::CountAnew) {
            return self.by_number(listing).await;
        }
        let mut page = self.inner.list(listing).await?;
        match self.defect {
            Defect::CutBatches => page.next = None,
            Defect::FindNobody => page.folders.clear(),
            Defect::ListBackwards => page.objects.reverse(),
            _ => {}
        }
        Ok(page)
    }

    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError> {
        match self.defect {
            Defect::KeepTwice => {
                let mark = folder.object("mark").unwrap();
                self.inner.put(&mark, Vec::new(), ContentType::unknown().into()).await.map(|_| ())
            }
            Defect::ImportNothing => Ok(()),
            _ => self.inner.create_folder(folder).await,
        }
    }

    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError> {
        if self.has(Defect::CopyByUploading) {
            let (meta, content) = (self.stat(from).await?, self.get(from, u64::MAX).await?);
            let kind = meta.content_type.unwrap_or_else(ContentType::unknown);
            let attributes = ObjectAttributes {
                content_type: kind,
                metadata: Metadata::new(meta.metadata).unwrap(),
            };
            return self.inner.put(to, content, attributes).await.map(|_| ());
        }
        if self.has(Defect::LinkCopies) {
            self.links.lock().unwrap().push((from.clone(), to.clone()));
        }
        self.inner.copy(&self.name(from), &self.name(to)).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        if self.has(Defect::NeverForgive) {
            self.inner.stat(name).await?;
        }
        self.inner.delete(&self.name(name)).await
    }

    async fn delete_many(&self, mut names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>> {
        if self.has(Defect::CutBatches) {
            names.truncate(10);
        }
        self.inner.delete_many(names).await
    }

    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError> {
        if self.has(Defect::IgnoreExpiry) {
            return Ok(SignedUrl::new(format!("memory://objects/{name}")));
        }
        self.inner.sign_download(name, lifetime).await
    }

    fn public_url(&self, name: &ObjectName) -> Option<String> {
        self.inner.public_url(name)
    }
}

impl BrokenObjects {
    /// Pages that are counted: what changes before them moves them.
    async fn by_number(&self, listing: Listing) -> Result<ObjectPage, ObjectError> {
        let shown = listing.after.as_ref().map_or(0, |after| after.as_str().parse().unwrap());
        let all = self.inner.list(Listing::all(listing.prefix.clone())).await?;
        let limit = listing.bounded_limit() as usize;
        let objects: Vec<_> = all.objects.into_iter().skip(shown).take(limit).collect();
        let next = (objects.len() == limit).then(|| PageToken::new((shown + limit).to_string()));
        Ok(ObjectPage { objects, folders: Vec::new(), next })
    }
}
