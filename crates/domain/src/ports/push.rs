//! Writing on the screens of devices.

use std::time::Duration;

use async_trait::async_trait;

use crate::Cause;
use crate::push::{DeviceToken, Notification};

/// What of a notification cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNotification {
    /// Neither title nor body nor data has a word.
    #[error("the notification is empty")]
    Empty,
    /// It is longer than a message may be: 4096 bytes at Firebase.
    #[error("the notification has more than 4096 bytes")]
    TooLong,
    /// A name among its data is empty or belongs to the service.
    #[error("a name in the notification's data is empty or reserved")]
    DataName,
}

/// Why a notification was not delivered to the push service.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It can be sent to nobody. Nothing was sent.
    #[error("{0}")]
    Malformed(MalformedNotification),
    /// The device no longer has this token, or never had: forget it.
    #[error("the device is not registered")]
    Unregistered(#[source] Cause),
    /// The service refused the message for good; the token may still be right.
    #[error("the notification was refused")]
    Refused(#[source] Cause),
    /// Our own credentials were refused: an operator can mend it.
    #[error("the push service refused our credentials")]
    Denied(#[source] Cause),
    /// Too many messages, at all or to this device.
    #[error("the push service asks for patience")]
    RateLimited {
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// The service is away, slow or broken. Whether it took the message is not
    /// known.
    #[error("the push service is unavailable")]
    Unavailable(#[source] Cause),
    /// The service answered with something else than it publishes.
    #[error("the push service answered unexpectedly")]
    Unexpected(#[source] Cause),
}

/// The push service's name for a message that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushId(pub String);

/// What became of a notification to one of several devices.
#[derive(Debug)]
pub struct Delivery {
    /// To whom.
    pub device: DeviceToken,
    /// The service took it, or why not.
    pub outcome: Result<PushId, PushError>,
}

/// Hands notifications to a push service, which brings them to the devices.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Notifies one device.
    async fn notify(
        &self,
        device: DeviceToken,
        notification: Notification,
    ) -> Result<PushId, PushError>;

    /// Notifies many devices, several at a time. There is one delivery per
    /// device, in their order; that one fails does not touch the others. Whoever
    /// keeps tokens deletes those that are [`PushError::Unregistered`].
    async fn notify_many(
        &self,
        devices: Vec<DeviceToken>,
        notification: Notification,
    ) -> Vec<Delivery>;

    /// Whether the service would bring a notification to this device. Nothing
    /// appears on it.
    ///
    /// # Errors
    /// All but [`PushError::Unregistered`] and [`PushError::Refused`], which are
    /// `false`.
    async fn is_registered(&self, device: DeviceToken) -> Result<bool, PushError>;
}
