//! A bucket in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use portcullis_domain::FolderName;
use portcullis_domain::object::{
    Entry, Listing, ObjectAttributes, ObjectMeta, ObjectName, ObjectPage, SignedUrl,
};
use portcullis_domain::ports::{Clock, ContentStream, ObjectError, ObjectStore, check_lifetime};

/// A bucket that forgets everything when its last clone is dropped. Its URLs
/// lead nowhere: `memory://objects/<name>`.
#[derive(Clone)]
pub struct MemoryObjects {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By name; a folder that was made ends in a slash and is none.
    entries: BTreeMap<String, Option<Arc<Stored>>>,
    uploads: u64,
}

struct Stored {
    meta: ObjectMeta,
    content: Vec<u8>,
}

impl fmt::Debug for MemoryObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryObjects").finish_non_exhaustive()
    }
}

impl MemoryObjects {
    /// An empty bucket.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// A panic elsewhere leaves no entry half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self, name: &ObjectName) -> Result<Arc<Stored>, ObjectError> {
        let stored = self.state().entries.get(name.as_str()).cloned().flatten();
        stored.ok_or_else(|| ObjectError::NotFound {
            name: name.clone(),
            cause: "nothing was stored under that name".into(),
        })
    }

    fn store(&self, mut meta: ObjectMeta, content: Vec<u8>) -> ObjectMeta {
        let now = self.clock.now();
        let mut state = self.state();
        state.uploads += 1;
        meta.etag = Some(state.uploads.to_string());
        (meta.created, meta.modified) = (Some(now), Some(now));
        let stored = Arc::new(Stored { meta: meta.clone(), content });
        state.entries.insert(meta.name.as_str().to_owned(), Some(stored));
        meta
    }
}

#[async_trait]
impl ObjectStore for MemoryObjects {
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let meta = ObjectMeta {
            content_type: Some(attributes.content_type),
            metadata: attributes.metadata.into_inner(),
            ..ObjectMeta::new(name.clone(), content.len() as u64)
        };
        Ok(self.store(meta, content))
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let content = content.try_concat().await.map_err(ObjectError::Content)?;
        self.put(name, content, attributes).await
    }

    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError> {
        let stored = self.stored(name)?;
        if stored.meta.size > limit {
            return Err(ObjectError::TooLarge { name: name.clone(), limit });
        }
        Ok(stored.content.clone())
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError> {
        let content = self.stored(name)?.content.clone();
        Ok(Box::pin(futures_util::stream::once(std::future::ready(Ok(content)))))
    }

    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError> {
        Ok(self.stored(name)?.meta.clone())
    }

    async fn list(&self, listing: Listing) -> Result<ObjectPage, ObjectError> {
        let state = self.state();
        let (entries, next) = listing.page_of(state.entries.keys().map(String::as_str));
        let mut page = ObjectPage { next, ..ObjectPage::default() };
        for entry in entries {
            match entry {
                Entry::Folder(folder) => page.folders.push(folder),
                Entry::Object(name) => {
                    let stored = state.entries.get(name.as_str()).and_then(Option::as_ref);
                    page.objects.extend(stored.map(|stored| stored.meta.clone()));
                }
            }
        }
        Ok(page)
    }

    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError> {
        self.state().entries.insert(format!("{folder}/"), None);
        Ok(())
    }

    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError> {
        let stored = self.stored(from)?;
        if from == to {
            return Ok(());
        }
        let meta = ObjectMeta { name: to.clone(), ..stored.meta.clone() };
        self.store(meta, stored.content.clone());
        Ok(())
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        self.state().entries.remove(name.as_str());
        Ok(())
    }

    async fn delete_many(&self, names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>> {
        let mut state = self.state();
        names
            .iter()
            .map(|name| {
                state.entries.remove(name.as_str());
                Ok(())
            })
            .collect()
    }

    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError> {
        check_lifetime(lifetime)?;
        let expires = (self.clock.now() + lifetime).as_seconds();
        Ok(SignedUrl::new(format!("memory://objects/{name}?expires={expires}")))
    }

    fn public_url(&self, _: &ObjectName) -> Option<String> {
        None
    }
}
