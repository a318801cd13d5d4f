//! Lists of objects, page by page.

use super::{FolderName, NamePrefix, ObjectMeta, ObjectName};

/// What is to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// How the names begin.
    pub prefix: NamePrefix,
    /// Whether folders are opened.
    pub depth: Depth,
    /// Most objects and folders of a page: 1 to [`Listing::MAX_LIMIT`]; what
    /// lies outside is taken for the nearer bound.
    pub limit: u32,
    /// Where the page before has ended; `None` for the first.
    pub after: Option<PageToken>,
}

/// Whether a list opens folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// It does: objects at any depth, no folders.
    All,
    /// It does not: objects whose names hold no slash behind the prefix, and
    /// the folders beside them.
    OneLevel,
}

impl Listing {
    /// Most that a page holds: what S3 and Google Cloud Storage give at once.
    pub const MAX_LIMIT: u32 = 1_000;

    /// The first page, as long as can be, of all objects whose names begin so.
    #[must_use]
    pub fn all(prefix: NamePrefix) -> Self {
        Self { prefix, depth: Depth::All, limit: Self::MAX_LIMIT, after: None }
    }

    /// The first page, as long as can be, of the objects and folders in a
    /// folder, or of those in none.
    #[must_use]
    pub fn of_folder(folder: Option<&FolderName>) -> Self {
        let prefix = folder.map(NamePrefix::from).unwrap_or_default();
        Self { depth: Depth::OneLevel, ..Self::all(prefix) }
    }

    /// The limit, within its bounds.
    #[must_use]
    pub fn bounded_limit(&self) -> u32 {
        self.limit.clamp(1, Self::MAX_LIMIT)
    }
}

/// Where a page ends: good for the next page of the same list from the same
/// store. What it says is the store's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// Wraps what a store has said.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// What the store has said.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a list. It may be empty and not the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// Objects by their names, in the order of their bytes. Objects of others
    /// that have no [`ObjectName`](super::ObjectName) are left out.
    pub objects: Vec<ObjectMeta>,
    /// Folders by their names, in the same order; each on one page.
    pub folders: Vec<FolderName>,
    /// Where this page ends, unless it is the last.
    pub next: Option<PageToken>,
}

/// What a list shows at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An object.
    Object(ObjectName),
    /// A folder.
    Folder(FolderName),
}

impl Listing {
    /// A page, for stores that know all their names in the order of their
    /// bytes; the name of a folder that was made ends in a slash. The token says
    /// where to go on if there is more.
    pub fn page_of<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> (Vec<Entry>, Option<PageToken>) {
        let (mut entries, mut last) = (Vec::new(), None);
        for shown in names.into_iter().filter_map(|name| self.shown(name)) {
            let was_shown = self.after.as_ref().is_some_and(|after| shown <= after.as_str());
            if was_shown || last == Some(shown) {
                continue;
            }
            let entry = if shown.ends_with('/') {
                FolderName::parse(shown).map(Entry::Folder)
            } else {
                ObjectName::parse(shown).map(Entry::Object)
            };
            let Ok(entry) = entry else { continue };
            if entries.len() == self.bounded_limit() as usize {
                return (entries, last.map(|last: &str| PageToken::new(last.to_owned())));
            }
            entries.push(entry);
            last = Some(shown);
        }
        (entries, None)
    }

    /// As what a name is shown, if it is: itself, or its folder with a slash.
    fn shown<'a>(&self, name: &'a str) -> Option<&'a str> {
        let prefix = self.prefix.as_str();
        let rest = name.strip_prefix(prefix)?;
        match (self.depth, rest.find('/')) {
            (Depth::OneLevel, Some(slash)) => Some(&name[..=prefix.len() + slash]),
            // A folder is no object, and does not lie in itself.
            _ => (!name.ends_with('/')).then_some(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(listing: &Listing, names: &[&str]) -> (Vec<String>, Option<String>) {
        let (entries, next) = listing.page_of(names.iter().copied());
        let text = |entry| match entry {
            Entry::Object(name) => name.to_string(),
            Entry::Folder(name) => format!("{name}/"),
        };
        (entries.into_iter().map(text).collect(), next.map(|next| next.as_str().to_owned()))
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_has_ended() {
        let names = ["a", "b.c", "b/", "b/1", "b/2", "c"];
        let mut listing = Listing { limit: 2, ..Listing::of_folder(None) };
        assert_eq!(page(&listing, &names), (vec!["a".into(), "b.c".into()], Some("b.c".into())));
        listing.after = Some(PageToken::new("b.c".into()));
        assert_eq!(page(&listing, &names), (vec!["b/".into(), "c".into()], None));
    }

    #[test]
    fn a_folder_is_not_in_itself() {
        let names = ["b/", "b/1", "b/c/", "b/c/2"];
        let folder = FolderName::parse("b").unwrap();
        let (found, _) = page(&Listing::of_folder(Some(&folder)), &names);
        assert_eq!(found, ["b/1", "b/c/"]);
        let (found, _) = page(&Listing::all(NamePrefix::from(&folder)), &names);
        assert_eq!(found, ["b/1", "b/c/2"]);
    }

    #[test]
    fn a_page_holds_one_at_least_and_a_thousand_at_most() {
        for (limit, bounded) in [(0, 1), (1, 1), (1_000, 1_000), (u32::MAX, 1_000)] {
            let listing = Listing { limit, ..Listing::of_folder(None) };
            assert_eq!(listing.bounded_limit(), bounded);
        }
    }
}
