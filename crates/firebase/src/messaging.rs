//! Cloud Messaging:
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>.

mod failure;
mod message;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;
use portcullis_api_client::{Method, Repeat};
use portcullis_domain::ports::{Delivery, MalformedNotification, Notifier, PushError, PushId};
use portcullis_domain::{DeviceToken, Notification};
use portcullis_google::{AccessTokens, Authorization, Failure, GoogleApi, Scope};
use serde::Deserialize;

use crate::settings::{FirebaseSettings, InvalidFirebaseSettings};
use failure::push_error;
use message::{Request, check};

const MESSAGING_URL: &str = "https://fcm.googleapis.com";

/// Whether a message goes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Deliver,
    /// It is only judged.
    Validate,
}

/// Notifies devices of a Firebase project's apps.
pub struct Messaging {
    api: GoogleApi,
    project: String,
    concurrency: usize,
}

#[derive(Deserialize)]
struct Sent {
    name: String,
}

impl Messaging {
    /// The apps of the account's project. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidFirebaseSettings`] says which setting cannot be used.
    pub fn new(
        tokens: Arc<AccessTokens>,
        settings: &FirebaseSettings,
    ) -> Result<Self, InvalidFirebaseSettings> {
        let url = settings.messaging_url.as_deref();
        let client = settings.client("the address of Cloud Messaging", url, MESSAGING_URL)?;
        let project = tokens.account().project_id().to_owned();
        let api = GoogleApi::new(client, Authorization::Account(tokens, Scope::MESSAGING));
        Ok(Self { api, project, concurrency: settings.checked_concurrency()? })
    }

    async fn send(
        &self,
        device: &DeviceToken,
        notification: &Notification,
        purpose: Purpose,
    ) -> Result<PushId, PushError> {
        let request = Request::of(device, notification, purpose == Purpose::Validate);
        let path = ["v1", "projects", &self.project, "messages:send"];
        // Whoever is notified twice is annoyed.
        let repeat = match purpose {
            Purpose::Deliver => Repeat::IfNotDone,
            Purpose::Validate => Repeat::Safe,
        };
        let sent = self.api.send(repeat, |api| api.call(Method::POST, &path).json(&request)).await;
        let sent = sent.and_then(|answer| answer.json::<Sent>().map_err(Failure::from));
        sent.map(|sent| PushId(sent.name)).map_err(push_error)
    }
}

#[async_trait]
impl Notifier for Messaging {
    async fn notify(
        &self,
        device: DeviceToken,
        notification: Notification,
    ) -> Result<PushId, PushError> {
        check(&notification).map_err(PushError::Malformed)?;
        self.send(&device, &notification, Purpose::Deliver).await
    }

    async fn notify_many(
        &self,
        devices: Vec<DeviceToken>,
        notification: Notification,
    ) -> Vec<Delivery> {
        if let Err(which) = check(&notification) {
            return devices.into_iter().map(|device| undeliverable(device, which)).collect();
        }
        let notification = &notification;
        let deliveries = devices.into_iter().map(|device| async move {
            let outcome = self.send(&device, notification, Purpose::Deliver).await;
            Delivery { device, outcome }
        });
        stream::iter(deliveries).buffered(self.concurrency).collect().await
    }

    async fn is_registered(&self, device: DeviceToken) -> Result<bool, PushError> {
        let data = [("test".to_owned(), "validation".to_owned())].into();
        let probe = Notification { data, ..Notification::default() };
        match self.send(&device, &probe, Purpose::Validate).await {
            Ok(_) => Ok(true),
            Err(PushError::Unregistered(_) | PushError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn undeliverable(device: DeviceToken, which: MalformedNotification) -> Delivery {
    Delivery { device, outcome: Err(PushError::Malformed(which)) }
}

/// Tells the project.
impl fmt::Debug for Messaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messaging").field("project", &self.project).finish_non_exhaustive()
    }
}
