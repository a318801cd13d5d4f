//! Messages as Cloud Messaging takes them.

use std::collections::BTreeMap;

use portcullis_domain::ports::MalformedNotification;
use portcullis_domain::{DeviceToken, Notification};
use serde::Serialize;

/// Most bytes of a message
/// (<https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type>).
const MAX_BYTES: usize = 4_096;

/// The body of `messages:send`.
#[derive(Serialize)]
pub(super) struct Request<'a> {
    validate_only: bool,
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: &'a BTreeMap<String, String>,
}

/// What appears on the screen.
#[derive(Serialize)]
struct Shown<'a> {
    title: &'a str,
    body: &'a str,
}

impl<'a> Request<'a> {
    pub(super) fn of(
        device: &'a DeviceToken,
        notification: &'a Notification,
        validate_only: bool,
    ) -> Self {
        let Notification { title, body, data } = notification;
        let is_shown = !title.is_empty() || !body.is_empty();
        Self {
            validate_only,
            message: Message {
                token: device.expose(),
                notification: is_shown.then_some(Shown { title, body }),
                data,
            },
        }
    }
}

/// Whether a notification can be sent to anybody.
pub(super) fn check(notification: &Notification) -> Result<(), MalformedNotification> {
    let Notification { title, body, data } = notification;
    if title.trim().is_empty() && body.trim().is_empty() && data.is_empty() {
        return Err(MalformedNotification::Empty);
    }
    let data_bytes: usize = data.iter().map(|(name, value)| name.len() + value.len()).sum();
    if title.len() + body.len() + data_bytes > MAX_BYTES {
        return Err(MalformedNotification::TooLong);
    }
    if data.keys().any(|name| is_reserved(name)) {
        return Err(MalformedNotification::DataName);
    }
    Ok(())
}

/// Names that Cloud Messaging keeps for itself.
fn is_reserved(name: &str) -> bool {
    matches!(name, "" | "from" | "message_type")
        || ["google.", "gcm.notification."].iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notification(title: &str, name: &str, value: &str) -> Notification {
        Notification {
            title: title.into(),
            body: String::new(),
            data: [(name.to_owned(), value.to_owned())].into(),
        }
    }

    #[test]
    fn a_message_is_written_as_published() {
        let device = DeviceToken::parse("fid:APA91b").unwrap();
        let shown = Notification { body: "b".into(), ..notification("t", "k", "v") };
        assert_eq!(
            serde_json::to_value(Request::of(&device, &shown, false)).unwrap(),
            json!({"validate_only": false, "message": {
                "token": "fid:APA91b",
                "notification": {"title": "t", "body": "b"},
                "data": {"k": "v"}
            }})
        );
        assert_eq!(
            serde_json::to_value(Request::of(&device, &notification("", "k", "v"), true)).unwrap(),
            json!({"validate_only": true, "message": {"token": "fid:APA91b", "data": {"k": "v"}}})
        );
    }

    #[test]
    fn what_nobody_can_be_sent_is_refused() {
        assert_eq!(check(&Notification::default()), Err(MalformedNotification::Empty));
        let blank = Notification { title: " ".into(), ..Notification::default() };
        assert_eq!(check(&blank), Err(MalformedNotification::Empty));
        for name in ["", "from", "message_type", "google.x", "gcm.notification.y"] {
            let reserved = check(&notification("t", name, "v"));
            assert_eq!(reserved, Err(MalformedNotification::DataName), "{name}");
        }
        assert_eq!(check(&notification("t", "fromage", "v")), Ok(()));
    }

    #[test]
    fn a_message_has_4096_bytes_at_most() {
        assert_eq!(check(&notification("t", "k", &"x".repeat(4_094))), Ok(()));
        let long = check(&notification("t", "k", &"x".repeat(4_095)));
        assert_eq!(long, Err(MalformedNotification::TooLong));
    }
}
