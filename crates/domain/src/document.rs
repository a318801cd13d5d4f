//! Documents: values by name, in collections.

mod path;

use std::collections::BTreeMap;

pub use path::{CollectionPath, DocumentId, FieldPath, InvalidPath};

use crate::Timestamp;

/// What a field of a document holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number, infinities and not-a-number among them.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time; a store's finer fractions than microseconds are cut off.
    Timestamp(Timestamp),
    /// Another document: its full name at the store.
    Reference(String),
    /// A place on Earth.
    GeoPoint {
        /// Degrees north, −90 to 90.
        latitude: f64,
        /// Degrees east, −180 to 180.
        longitude: f64,
    },
    /// Several values in order, none of them an array.
    Array(Vec<Value>),
    /// Several values by name.
    Map(Fields),
}

/// Values by name.
pub type Fields = BTreeMap<String, Value>;

/// What an update does to fields: `Some` sets one, `None` removes it, and all
/// fields that are not named stay as they are.
pub type Changes = BTreeMap<FieldPath, Option<Value>>;

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its name in the collection.
    pub id: DocumentId,
    /// What it holds.
    pub fields: Fields,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// Some documents of a collection.
#[derive(Clone, Debug)]
pub struct DocumentPage {
    /// The documents, by id.
    pub documents: Vec<Document>,
    /// What to ask the next page with; `None` after the last.
    pub next: Option<String>,
}
