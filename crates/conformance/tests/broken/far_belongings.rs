//! Belongings in a store that can be taken away.

use async_trait::async_trait;
use portcullis_domain::ports::{AvatarStore, Claimed, DeviceStore, EntitlementStore};
use portcullis_domain::{
    Avatar, Device, Entitlement, PurchaseState, StoreError, TokenDigest, UserId,
};

use super::outage::Far;

#[async_trait]
impl DeviceStore for Far {
    async fn register(&self, device: Device) -> Result<(), StoreError> {
        self.reach(async |store| store.register(device).await, ()).await
    }

    async fn forget(&self, user: UserId, digest: TokenDigest) -> Result<bool, StoreError> {
        self.reach(async |store| store.forget(user, digest).await, false).await
    }

    async fn forget_all(&self, digests: Vec<TokenDigest>) -> Result<(), StoreError> {
        self.reach(async |store| store.forget_all(digests).await, ()).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        self.reach(async |store| DeviceStore::of_user(&store, user).await, Vec::new()).await
    }
}

#[async_trait]
impl AvatarStore for Far {
    async fn replace(&self, avatar: Avatar) -> Result<Option<Avatar>, StoreError> {
        self.reach(async |store| store.replace(avatar).await, None).await
    }

    async fn remove(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        self.reach(async |store| AvatarStore::remove(&store, user).await, None).await
    }

    async fn of_user(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        self.reach(async |store| AvatarStore::of_user(&store, user).await, None).await
    }
}

#[async_trait]
impl EntitlementStore for Far {
    async fn claim(&self, entitlement: Entitlement) -> Result<Claimed, StoreError> {
        self.reach(async |store| store.claim(entitlement).await, Claimed::Anothers).await
    }

    async fn update(&self, state: PurchaseState) -> Result<Option<Entitlement>, StoreError> {
        self.reach(async |store| EntitlementStore::update(&store, state).await, None).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Entitlement>, StoreError> {
        self.reach(async |store| EntitlementStore::of_user(&store, user).await, Vec::new()).await
    }
}
