//! Belongings with a defect.

use async_trait::async_trait;
use portcullis_conformance::build::{START, user_id};
use portcullis_domain::identity::Subject;
use portcullis_domain::ports::{
    AvatarStore, Claimed, DeviceStore, Devices, EntitlementStore, IdentityLinks,
};
use portcullis_domain::{
    Avatar, Device, Entitlement, IdentityLink, IdentitySource, MAX_DEVICES, PurchaseState,
    StoreError, TokenDigest, User, UserId,
};

use super::unit::BrokenUnit;
use super::{Broken, Defect};

#[async_trait]
impl Devices for BrokenUnit {
    async fn forget_all_of(&mut self, user: UserId) -> Result<(), StoreError> {
        if self.has(Defect::NeverClear) {
            return Ok(());
        }
        self.inner().devices().forget_all_of(user).await
    }
}

#[async_trait]
impl IdentityLinks for BrokenUnit {
    async fn user_of(
        &mut self,
        source: IdentitySource,
        subject: &Subject,
    ) -> Result<Option<User>, StoreError> {
        let found = self.inner().identity_links().user_of(source, subject).await?;
        Ok(found.filter(|_| !self.has(Defect::FindNobody)))
    }

    async fn link(&mut self, link: &IdentityLink) -> Result<bool, StoreError> {
        let is_linked = self.inner().identity_links().link(link).await?;
        Ok(is_linked || self.has(Defect::Overwrite) || self.has(Defect::SwallowConflicts))
    }
}

#[async_trait]
impl DeviceStore for Broken {
    async fn register(&self, mut device: Device) -> Result<(), StoreError> {
        if self.has(Defect::KeepTwice) {
            let TokenDigest(bytes) = &mut device.digest;
            bytes[31] = u8::try_from(device.registered_at.as_micros() % 251).unwrap();
            bytes[30] = device.user.as_uuid().as_bytes()[0];
        }
        let theirs = DeviceStore::of_user(&self.inner, device.user).await?;
        if self.has(Defect::KeepTheOldest) && theirs.len() >= MAX_DEVICES as usize {
            return Ok(());
        }
        self.inner.register(device).await
    }

    async fn forget(&self, user: UserId, digest: TokenDigest) -> Result<bool, StoreError> {
        let forgotten = self.inner.forget(user, digest).await?;
        Ok(forgotten || self.has(Defect::EndAnything))
    }

    async fn forget_all(&self, digests: Vec<TokenDigest>) -> Result<(), StoreError> {
        if self.has(Defect::NeverClear) { Ok(()) } else { self.inner.forget_all(digests).await }
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        let mut devices = DeviceStore::of_user(&self.inner, user).await?;
        if self.has(Defect::LoseFields) {
            for device in &mut devices {
                device.registered_at = START;
            }
        }
        if self.has(Defect::AllowOneMore) {
            devices.extend(devices.last().cloned());
        }
        Ok(devices)
    }
}

#[async_trait]
impl AvatarStore for Broken {
    async fn replace(&self, avatar: Avatar) -> Result<Option<Avatar>, StoreError> {
        if self.has(Defect::LookBeforehand) {
            let replaced = AvatarStore::of_user(&self.inner, avatar.user).await?;
            self.let_another_look().await;
            self.inner.replace(avatar).await?;
            return Ok(replaced);
        }
        let replaced = self.inner.replace(avatar).await?;
        Ok(replaced.filter(|_| !self.has(Defect::TellNothing)))
    }

    async fn remove(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        if self.has(Defect::NeverClear) {
            return AvatarStore::of_user(&self.inner, user).await;
        }
        AvatarStore::remove(&self.inner, user).await
    }

    async fn of_user(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        let mut found = AvatarStore::of_user(&self.inner, user).await?;
        if let Some(avatar) = found.as_mut().filter(|_| self.has(Defect::LoseFields)) {
            avatar.size &= u64::from(u32::MAX);
        }
        Ok(found)
    }
}

#[async_trait]
impl EntitlementStore for Broken {
    async fn claim(&self, entitlement: Entitlement) -> Result<Claimed, StoreError> {
        let claimed = self.inner.claim(self.older(entitlement.clone())).await?;
        let is_generous = self.has(Defect::Overwrite) || self.has(Defect::SwallowConflicts);
        Ok(if is_generous { Claimed::Theirs(entitlement.state) } else { claimed })
    }

    async fn update(&self, state: PurchaseState) -> Result<Option<Entitlement>, StoreError> {
        if self.has(Defect::TellNothing) {
            return Ok(None);
        }
        let known = self.inner.update(state.clone()).await?;
        let stranger = || Entitlement { user: user_id(), state };
        Ok(if self.has(Defect::WelcomeStrangers) { Some(stranger()) } else { known })
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Entitlement>, StoreError> {
        let mut theirs = EntitlementStore::of_user(&self.inner, user).await?;
        if self.has(Defect::LoseFields) {
            for entitlement in &mut theirs {
                entitlement.state.revoked_at = None;
            }
        }
        Ok(theirs)
    }
}

impl Broken {
    fn older(&self, mut entitlement: Entitlement) -> Entitlement {
        if self.has(Defect::KeepTheOldest) {
            entitlement.state.signed_at = START;
        }
        entitlement
    }
}
