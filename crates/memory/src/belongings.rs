//! What belongs to an account beside its sessions.

use std::cmp::Reverse;

use async_trait::async_trait;
use portcullis_domain::identity::Subject;
use portcullis_domain::ports::{
    AvatarStore, Claimed, DeviceStore, Devices, EntitlementStore, IdentityLinks,
};
use portcullis_domain::{
    Avatar, Device, Entitlement, IdentityLink, IdentitySource, MAX_DEVICES, PurchaseState,
    StoreError, TokenDigest, User, UserId,
};

use crate::MemoryStore;
use crate::state::State;

impl State {
    /// As a database would refuse what belongs to nobody.
    fn owned_by(&mut self, user: UserId) -> Result<&mut Self, StoreError> {
        if self.users.contains_key(&user) {
            return Ok(self);
        }
        Err(StoreError::Other("the account is gone".into()))
    }

    /// A user's devices, newest first.
    fn devices_of(&self, user: UserId) -> Vec<Device> {
        let mut devices: Vec<_> =
            self.devices.values().filter(|device| device.user == user).cloned().collect();
        devices.sort_by_key(|device| (Reverse(device.registered_at), device.digest.0));
        devices
    }
}

#[async_trait]
impl DeviceStore for MemoryStore {
    async fn register(&self, device: Device) -> Result<(), StoreError> {
        let mut state = self.state().await;
        let state = state.owned_by(device.user)?;
        let user = device.user;
        state.devices.insert(device.digest, device);
        for surplus in state.devices_of(user).into_iter().skip(MAX_DEVICES as usize) {
            state.devices.remove(&surplus.digest);
        }
        Ok(())
    }

    async fn forget(&self, user: UserId, digest: TokenDigest) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        let is_theirs = state.devices.get(&digest).is_some_and(|device| device.user == user);
        if is_theirs {
            state.devices.remove(&digest);
        }
        Ok(is_theirs)
    }

    async fn forget_all(&self, digests: Vec<TokenDigest>) -> Result<(), StoreError> {
        self.state().await.devices.retain(|digest, _| !digests.contains(digest));
        Ok(())
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Device>, StoreError> {
        Ok(self.state().await.devices_of(user))
    }
}

#[async_trait]
impl AvatarStore for MemoryStore {
    async fn replace(&self, avatar: Avatar) -> Result<Option<Avatar>, StoreError> {
        let mut state = self.state().await;
        Ok(state.owned_by(avatar.user)?.avatars.insert(avatar.user, avatar))
    }

    async fn remove(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        Ok(self.state().await.avatars.remove(&user))
    }

    async fn of_user(&self, user: UserId) -> Result<Option<Avatar>, StoreError> {
        Ok(self.state().await.avatars.get(&user).cloned())
    }
}

#[async_trait]
impl EntitlementStore for MemoryStore {
    async fn claim(&self, entitlement: Entitlement) -> Result<Claimed, StoreError> {
        let mut state = self.state().await;
        let state = state.owned_by(entitlement.user)?;
        let Some(found) = state.entitlement(&entitlement.state) else {
            state.entitlements.push(entitlement.clone());
            return Ok(Claimed::Theirs(entitlement.state));
        };
        if found.user != entitlement.user {
            return Ok(Claimed::Anothers);
        }
        let _is_news = found.state.learn(entitlement.state);
        Ok(Claimed::Theirs(found.state.clone()))
    }

    async fn update(&self, news: PurchaseState) -> Result<Option<Entitlement>, StoreError> {
        let mut state = self.state().await;
        let Some(found) = state.entitlement(&news) else { return Ok(None) };
        let _is_news = found.state.learn(news);
        Ok(Some(found.clone()))
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Entitlement>, StoreError> {
        let state = self.state().await;
        let mut theirs: Vec<_> =
            state.entitlements.iter().filter(|one| one.user == user).cloned().collect();
        theirs.sort_by_key(|one| {
            (Reverse(one.state.purchased_at), one.state.purchase.as_str().to_owned())
        });
        Ok(theirs)
    }
}

impl State {
    fn entitlement(&mut self, state: &PurchaseState) -> Option<&mut Entitlement> {
        self.entitlements.iter_mut().find(|known| {
            (known.state.environment, &known.state.purchase) == (state.environment, &state.purchase)
        })
    }
}

#[async_trait]
impl Devices for State {
    async fn forget_all_of(&mut self, user: UserId) -> Result<(), StoreError> {
        self.devices.retain(|_, device| device.user != user);
        Ok(())
    }
}

#[async_trait]
impl IdentityLinks for State {
    async fn user_of(
        &mut self,
        source: IdentitySource,
        subject: &Subject,
    ) -> Result<Option<User>, StoreError> {
        let link = self.identity_links.get(&(source, subject.clone()));
        Ok(link.and_then(|link| self.users.get(&link.user)).cloned())
    }

    async fn link(&mut self, link: &IdentityLink) -> Result<bool, StoreError> {
        let key = (link.source, link.subject.clone());
        if self.identity_links.contains_key(&key) {
            return Ok(false);
        }
        self.owned_by(link.user)?.identity_links.insert(key, link.clone());
        Ok(true)
    }
}
