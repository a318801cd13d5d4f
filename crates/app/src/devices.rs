//! Devices that want to be told of new sign-ins.

use portcullis_domain::push::DeviceToken;
use portcullis_domain::{Device, UserId};

use crate::failure::failures_become;
use crate::{App, Failure, NotOffered};

/// Why a device is not registered, or not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum DeviceRefused {
    /// No notices are sent from here.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// The user has no such device.
    #[error("there is no such device")]
    Absent,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(DeviceRefused);

impl App {
    /// Sends a user's notices to this device too, and nobody else's any more.
    ///
    /// # Errors
    /// [`DeviceRefused`].
    pub async fn register_device(
        &self,
        user: UserId,
        token: DeviceToken,
    ) -> Result<(), DeviceRefused> {
        self.ports.services.notifier.as_ref().ok_or(NotOffered)?;
        let digest = self.ports.opaque_tokens.digest_token(token.expose());
        let device = Device { digest, token, user, registered_at: self.now() };
        Ok(self.ports.devices.register(device).await?)
    }

    /// Sends no more notices to this device.
    ///
    /// # Errors
    /// [`DeviceRefused::Absent`] when it is none of the user's.
    pub async fn forget_device(
        &self,
        user: UserId,
        token: &DeviceToken,
    ) -> Result<(), DeviceRefused> {
        self.ports.services.notifier.as_ref().ok_or(NotOffered)?;
        let digest = self.ports.opaque_tokens.digest_token(token.expose());
        if self.ports.devices.forget(user, digest).await? {
            Ok(())
        } else {
            Err(DeviceRefused::Absent)
        }
    }
}
