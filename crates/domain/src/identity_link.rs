//! Accounts known elsewhere.

use crate::identity::Subject;
use crate::{Timestamp, UserId};

/// Who vouches for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentitySource {
    /// Firebase Authentication.
    Firebase,
}

/// Who somebody is at an identity provider. A provider's user is linked to one
/// account for good; an account may have several, since an address that comes
/// back to a provider gets another id there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityLink {
    /// Who vouches.
    pub source: IdentitySource,
    /// The provider's id of them.
    pub subject: Subject,
    /// Ours.
    pub user: UserId,
    /// Since when.
    pub linked_at: Timestamp,
}
