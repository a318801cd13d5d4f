//! Where in the directory things are.
//!
//! A folder of objects is a directory whose name ends in `.d`; an object is a
//! file whose name ends in `.o`. So an object `a` and a folder `a` are apart, and
//! a file of ours is never taken for somebody's object.

use std::path::{Path, PathBuf};

use portcullis_domain::{FolderName, ObjectName};

const FOLDER: &str = ".d";
const OBJECT: &str = ".o";
/// An empty file in a folder that somebody made.
const MARK: &str = "folder";
/// Where uploads grow.
const INCOMING: &str = "incoming";

#[derive(Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

/// What a directory entry stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Folder(String),
    Object(String),
    /// The folder it lies in was made.
    Mark,
    /// None of ours.
    Other,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    pub(super) fn folder(&self, folder: Option<&FolderName>) -> PathBuf {
        let segments = folder.iter().flat_map(|folder| folder.as_str().split('/'));
        segments.fold(self.root.clone(), |path, segment| path.join(format!("{segment}{FOLDER}")))
    }

    pub(super) fn object(&self, name: &ObjectName) -> PathBuf {
        self.folder(name.folder().as_ref()).join(format!("{}{OBJECT}", name.base_name()))
    }

    pub(super) fn mark(&self, folder: &FolderName) -> PathBuf {
        self.folder(Some(folder)).join(MARK)
    }

    pub(super) fn entry(file_name: &str) -> Entry {
        if file_name == MARK {
            Entry::Mark
        } else if let Some(name) = file_name.strip_suffix(FOLDER) {
            Entry::Folder(name.to_owned())
        } else if let Some(name) = file_name.strip_suffix(OBJECT) {
            Entry::Object(name.to_owned())
        } else {
            Entry::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_where_something_else_lies() {
        let layout = Layout::new("/objects".into());
        let object = |name| layout.object(&ObjectName::parse(name).unwrap());
        assert_eq!(object("a.d/b.o"), Path::new("/objects/a.d.d/b.o.o"));
        assert_eq!(object("a"), Path::new("/objects/a.o"));
        assert_eq!(object("a/folder"), Path::new("/objects/a.d/folder.o"));
        assert_eq!(object("incoming"), Path::new("/objects/incoming.o"));
        let folder = FolderName::parse("a").unwrap();
        assert_eq!(layout.mark(&folder), Path::new("/objects/a.d/folder"));
    }

    #[test]
    fn what_is_found_is_known() {
        assert_eq!(Layout::entry("a.d.d"), Entry::Folder("a.d".into()));
        assert_eq!(Layout::entry("folder.o"), Entry::Object("folder".into()));
        assert_eq!(Layout::entry("folder"), Entry::Mark);
        assert_eq!(Layout::entry("incoming"), Entry::Other);
        assert_eq!(Layout::entry(".DS_Store"), Entry::Other);
    }
}
