//! A store that can be taken away.

use async_trait::async_trait;

use crate::Stores;

/// Takes the far side of a store away and brings it back.
#[async_trait]
pub trait Switch: Send + Sync {
    /// Takes it away: when this returns, nobody reaches it. It may be gone,
    /// refuse, or be silent.
    async fn off(&self);

    /// Brings it back, with all that was acknowledged: when this returns, it
    /// serves whoever connects anew.
    async fn on(&self);
}

/// An empty store with a switch.
pub struct Outage {
    /// The store, over at least 16 connections if it counts them.
    pub stores: Stores,
    /// Its switch.
    pub switch: Box<dyn Switch>,
    /// What must not be told: the password in its address, say.
    pub secret: String,
}
