//! Services that a deployment may do without.

use std::sync::Arc;

use portcullis_domain::ports::{
    IdentityProvider, Notifier, ObjectStore, Portraits, Purchases, SignedDownloads,
};

/// What is there beside the store. What needs a service that is absent is
/// [`NotOffered`].
#[derive(Clone, Default)]
pub struct Services {
    /// Who vouches for people.
    pub identity: Option<Arc<dyn IdentityProvider>>,
    /// Who brings notices to devices.
    pub notifier: Option<Arc<dyn Notifier>>,
    /// Where pictures are kept.
    pub pictures: Option<Pictures>,
    /// Where people buy.
    pub purchases: Option<Arc<dyn Purchases>>,
}

/// What it takes to keep pictures.
#[derive(Clone)]
pub struct Pictures {
    /// Where they lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Who looks at them before.
    pub portraits: Arc<dyn Portraits>,
    /// Who gives them out, if the store has no server of its own.
    pub downloads: Option<Arc<dyn SignedDownloads>>,
}

/// The deployment does not offer this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not offered here")]
pub struct NotOffered;
