//! Pictures of account owners.

use crate::object::{ContentType, ObjectName};
use crate::{Timestamp, UserId};

/// Where an account's picture lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    /// Whose it is.
    pub user: UserId,
    /// Its name in the object store, never used for another picture.
    pub object: ObjectName,
    /// What it is.
    pub content_type: ContentType,
    /// Its length in bytes.
    pub size: u64,
    /// Since when.
    pub set_at: Timestamp,
}
