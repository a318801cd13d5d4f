//! What belongs to an account beside its sessions, in single steps.

use async_trait::async_trait;

use crate::entitlement::{Entitlement, PurchaseState};
use crate::{Avatar, Device, StoreError, TokenDigest, UserId};

/// Devices that notices go to.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait DeviceStore: Send + Sync {
    /// Registers a device, which thereby is its owner's and nobody else's. Of
    /// the owner's devices the newest [`MAX_DEVICES`](crate::MAX_DEVICES) stay.
    async fn register(&self, device: Device) -> Result<(), StoreError>;

    /// Forgets a device if it is that user's; says whether it was.
    async fn forget(&self, user: UserId, digest: TokenDigest) -> Result<bool, StoreError>;

    /// Forgets devices that are gone, whosever they were.
    async fn forget_all(&self, digests: Vec<TokenDigest>) -> Result<(), StoreError>;

    /// A user's devices, newest first.
    async fn of_user(&self, user: UserId) -> Result<Vec<Device>, StoreError>;
}

/// Where pictures lie.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AvatarStore: Send + Sync {
    /// Sets a user's picture; tells which one it replaces, so that it can be
    /// removed: each one is told once.
    async fn replace(&self, avatar: Avatar) -> Result<Option<Avatar>, StoreError>;

    /// Takes a user's picture away, and tells which one it was.
    async fn remove(&self, user: UserId) -> Result<Option<Avatar>, StoreError>;

    /// A user's picture.
    async fn of_user(&self, user: UserId) -> Result<Option<Avatar>, StoreError>;
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The purchase is theirs, and stands like this.
    Theirs(PurchaseState),
    /// Another account claimed it before.
    Anothers,
}

/// Who bought what.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait EntitlementStore: Send + Sync {
    /// Gives a purchase to a user, unless it is another's; one that is theirs
    /// already is brought up to date. Of any number of parallel claims of
    /// different users one succeeds.
    async fn claim(&self, entitlement: Entitlement) -> Result<Claimed, StoreError>;

    /// Brings a purchase up to date, if somebody has claimed it and this is
    /// [news](PurchaseState::learn); tells how it stands now, and whose it is.
    async fn update(&self, state: PurchaseState) -> Result<Option<Entitlement>, StoreError>;

    /// A user's purchases, the newest first.
    async fn of_user(&self, user: UserId) -> Result<Vec<Entitlement>, StoreError>;
}
