//! What belongs to an account beside its sessions, over SQL.

use async_trait::async_trait;
use portcullis_domain::ports::{AvatarStore, Claimed, DeviceStore, EntitlementStore};
use portcullis_domain::{
    Avatar, Device, Entitlement, PurchaseState, StoreError, TokenDigest, UserId,
};

use crate::SqlStore;
use crate::queries::{avatars, devices, entitlements, users};
use crate::unit::SqlUnit;

impl SqlStore {
    /// A transaction in which nobody else changes what belongs to that user.
    async fn unit_of(&self, user: UserId) -> Result<SqlUnit, StoreError> {
        let mut unit = self.unit().await?;
        match users::by_id(&mut unit.lease, user).await? {
            Some(_) => Ok(unit),
            None => Err(StoreError::Other("the account is gone".into())),
        }
    }
}

#[async_trait]
impl DeviceStore for SqlStore {
    async fn register(&self, device: Device) -> Result<(), StoreError> {
        let mut unit = self.unit_of(device.user).await?;
        devices::register(&mut unit.lease, &device).await?;
        unit.lease.commit().await
    }

    async fn forget(&self, user: UserId, digest: TokenDigest) -> Result<bool, StoreError> {
        devices::forget(&mut self.writers.lease().await?, user, digest).await
    }

    async fn forget_all(&self, digests: Vec<TokenDigest>) -> Result<(), StoreError> {
        devices::forget_all(&mut self.writers.lease().await?, &digests).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        devices::of_user(&mut self.readers.lease().await?, user).await
    }
}

#[async_trait]
impl AvatarStore for SqlStore {
    async fn replace(&self, avatar: Avatar) -> Result<Option<Avatar>, StoreError> {
        let mut unit = self.unit_of(avatar.user).await?;
        let replaced = avatars::of_user(&mut unit.lease, avatar.user).await?;
        avatars::set(&mut unit.lease, &avatar).await?;
        unit.lease.commit().await?;
        Ok(replaced)
    }

    async fn remove(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        avatars::remove(&mut self.writers.lease().await?, user).await
    }

    async fn of_user(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        avatars::of_user(&mut self.readers.lease().await?, user).await
    }
}

#[async_trait]
impl EntitlementStore for SqlStore {
    async fn claim(&self, entitlement: Entitlement) -> Result<Claimed, StoreError> {
        let mut unit = self.unit().await?;
        if entitlements::add(&mut unit.lease, &entitlement).await? {
            unit.lease.commit().await?;
            return Ok(Claimed::Theirs(entitlement.state));
        }
        let Some(found) = entitlements::find(&mut unit.lease, &entitlement.state).await? else {
            // Its owner was removed between the two statements.
            return Err(StoreError::Unavailable("the purchase is being removed".into()));
        };
        if found.user != entitlement.user {
            return Ok(Claimed::Anothers);
        }
        let state = learn(unit, found.state, entitlement.state).await?;
        Ok(Claimed::Theirs(state))
    }

    async fn update(&self, news: PurchaseState) -> Result<Option<Entitlement>, StoreError> {
        let mut unit = self.unit().await?;
        let Some(found) = entitlements::find(&mut unit.lease, &news).await? else {
            return Ok(None);
        };
        let state = learn(unit, found.state, news).await?;
        Ok(Some(Entitlement { user: found.user, state }))
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Entitlement>, StoreError> {
        entitlements::of_user(&mut self.readers.lease().await?, user).await
    }
}

/// Ends the unit in which that state was found, with what it becomes by the news.
async fn learn(
    mut unit: SqlUnit,
    mut state: PurchaseState,
    news: PurchaseState,
) -> Result<PurchaseState, StoreError> {
    if state.learn(news) {
        entitlements::update(&mut unit.lease, &state).await?;
        unit.lease.commit().await?;
    }
    Ok(state)
}
