//! Whole lists, in terms of any store: page after page as they are wanted.

use futures_util::{Stream, TryStreamExt, stream};
use portcullis_domain::FolderName;
use portcullis_domain::object::{Listing, NamePrefix, ObjectMeta, ObjectPage};
use portcullis_domain::ports::{ObjectError, ObjectStore};

/// All objects whose names begin so; with [`NamePrefix::from`] a folder, all that
/// lie in it and in the folders within.
pub fn list_all(
    objects: &dyn ObjectStore,
    prefix: NamePrefix,
) -> impl Stream<Item = Result<ObjectMeta, ObjectError>> + Send {
    items(objects, Listing::all(prefix), |page| page.objects)
}

/// The folders in a folder, or those in none.
pub fn list_folders(
    objects: &dyn ObjectStore,
    parent: Option<&FolderName>,
) -> impl Stream<Item = Result<FolderName, ObjectError>> + Send {
    items(objects, Listing::of_folder(parent), |page| page.folders)
}

fn items<T: Send>(
    objects: &dyn ObjectStore,
    first: Listing,
    of_page: fn(ObjectPage) -> Vec<T>,
) -> impl Stream<Item = Result<T, ObjectError>> + Send {
    let pages = stream::try_unfold(Some(first), move |listing| async move {
        let Some(listing) = listing else { return Ok(None) };
        let mut page = objects.list(listing.clone()).await?;
        let next = page.next.take().map(|after| Listing { after: Some(after), ..listing });
        Ok(Some((stream::iter(of_page(page).into_iter().map(Ok)), next)))
    });
    pages.try_flatten()
}
