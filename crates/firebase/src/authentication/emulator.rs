//! Firebase's Authentication emulator, for development and tests.

use std::sync::Arc;

use portcullis_domain::ports::Clock;
use portcullis_google::{Authorization, GoogleApi};

use super::Authentication;
use super::accounts::Accounts;
use super::custom_token::CustomTokens;
use super::id_token::IdTokens;
use crate::settings::{FirebaseSettings, InvalidFirebaseSettings};

/// Why there is no emulator there.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEmulatorHost {
    /// It is not on this machine.
    #[error("the emulator must be given as host:port on this machine, like 127.0.0.1:9099")]
    Host,
    /// Another setting cannot be used.
    #[error(transparent)]
    Settings(#[from] InvalidFirebaseSettings),
}

impl Authentication {
    /// The users of a project in Firebase's emulator, which listens at
    /// `host:port` of this machine, as `FIREBASE_AUTH_EMULATOR_HOST` names it.
    ///
    /// **Its tokens carry no signature: anybody can be anyone.** This is a
    /// constructor of its own that no setting of [`Authentication::new`] leads
    /// to, and it takes no address of another machine.
    ///
    /// # Errors
    /// [`InvalidEmulatorHost`] says what is wrong.
    pub fn with_emulator(
        host: &str,
        project_id: &str,
        settings: &FirebaseSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidEmulatorHost> {
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if !has_port || host.contains('/') {
            return Err(InvalidEmulatorHost::Host);
        }
        // A base URL without TLS leads to this machine or is none.
        let url = format!("http://{host}/identitytoolkit.googleapis.com");
        let client = match settings.client("the emulator", Some(&url), &url) {
            Err(InvalidFirebaseSettings::Url(..)) => return Err(InvalidEmulatorHost::Host),
            client => client?,
        };
        let api = GoogleApi::new(client, Authorization::Emulator);
        Ok(Self {
            clock,
            accounts: Accounts::new(api, project_id.to_owned()),
            id_tokens: IdTokens::unsigned(project_id.to_owned()),
            custom_tokens: CustomTokens::Unsigned,
        })
    }
}
