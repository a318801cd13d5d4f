#![doc = include_str!("../README.md")]
// A law fails by panicking: that is what a test is.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

pub mod accounts;
pub mod accounts_archive;
pub mod audit;
pub mod avatars;
pub mod bucket;
pub mod build;
pub mod callers;
pub mod catalogue;
pub mod devices;
pub mod entitlements;
pub mod fakes;
pub mod hashing;
pub mod identity_links;
pub mod jobs;
pub mod limiter;
pub mod logins;
pub mod mail_route;
pub mod mailbox;
pub mod mailer;
pub mod mailer_faults;
pub mod object_lists;
pub mod object_uploads;
pub mod objects;
pub mod one_time_tokens;
pub mod opaque_tokens;
pub mod outage;
pub mod outages;
pub mod outbox;
pub mod sessions;
pub mod signing;
pub mod system;
pub mod units;

mod lists;
mod race;

use std::any::Any;
use std::sync::Arc;

pub use bucket::Bucket;
pub use mail_route::{Arrived, FarSide, MailRoute};
pub use outage::{Outage, Switch};
pub use system::System;

use portcullis_domain::ports::{
    AccountsArchive, AvatarStore, Callers, DeviceStore, EntitlementStore, JobQueue, LoginStore,
    Mailbox, OutboxQueue, SessionStore, Store,
};

/// The ports of one durable store, empty, and what has to stay alive with it.
pub struct Stores {
    /// Units of work.
    pub store: Arc<dyn Store>,
    /// Sessions in single steps.
    pub sessions: Arc<dyn SessionStore>,
    /// Who bears an access token.
    pub callers: Arc<dyn Callers>,
    /// Logins in single steps.
    pub logins: Arc<dyn LoginStore>,
    /// The outbox as its worker sees it.
    pub outbox: Arc<dyn OutboxQueue>,
    /// The queue of jobs.
    pub jobs: Arc<dyn JobQueue>,
    /// Accounts on their way in and out.
    pub archive: Arc<dyn AccountsArchive>,
    /// The development mailbox.
    pub mailbox: Arc<dyn Mailbox>,
    /// Devices that notices go to.
    pub devices: Arc<dyn DeviceStore>,
    /// Where pictures lie.
    pub avatars: Arc<dyn AvatarStore>,
    /// Who bought what.
    pub entitlements: Arc<dyn EntitlementStore>,
    /// Dropped last: a temporary folder, a server.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Stores {
    /// The ports of a store that implements them all.
    pub fn of<S>(store: S, keep: impl Any + Send + Sync) -> Self
    where
        S: Store
            + SessionStore
            + Callers
            + LoginStore
            + OutboxQueue
            + JobQueue
            + AccountsArchive
            + Mailbox
            + DeviceStore
            + AvatarStore
            + EntitlementStore
            + Clone
            + 'static,
    {
        Self {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            mailbox: Arc::new(store.clone()),
            devices: Arc::new(store.clone()),
            avatars: Arc::new(store.clone()),
            entitlements: Arc::new(store),
            keep: Box::new(keep),
        }
    }
}
