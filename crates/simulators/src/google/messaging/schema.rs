//! What a message may look like.

use serde_json::{Map, Value};

use crate::google::refusal::{Refusal, bad_field, refusal, unknown_field};

const REQUEST: [&str; 3] = ["validate_only", "validateOnly", "message"];
const MESSAGE: [&str; 12] = [
    "name",
    "data",
    "notification",
    "android",
    "webpush",
    "apns",
    "fcm_options",
    "fcmOptions",
    "token",
    "topic",
    "condition",
    "fid",
];
const NOTIFICATION: [&str; 3] = ["title", "body", "image"];
/// Most bytes of a message.
const MAX_BYTES: usize = 4_096;

/// Refuses a body that is not as published.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    only(&REQUEST, object(body, "")?, "")?;
    let is_bool = |name: &str| body.get(name).is_none_or(Value::is_boolean);
    if !is_bool("validate_only") || !is_bool("validateOnly") {
        return Err(bad_field("validate_only", "Invalid value at 'validate_only' (TYPE_BOOL)"));
    }
    let message = object(&body["message"], "message")?;
    only(&MESSAGE, message, "message")?;
    let targets =
        ["token", "topic", "condition"].iter().filter(|name| message.contains_key(**name));
    if targets.count() != 1 {
        let told = "Recipient of the message is not set, or is set more than once.";
        return Err(bad_field("message", told));
    }
    if !message.get("token").is_none_or(Value::is_string) {
        return Err(bad_field("message.token", "Invalid value at 'message.token' (TYPE_STRING)"));
    }
    if let Some(shown) = message.get("notification") {
        let shown = object(shown, "message.notification")?;
        only(&NOTIFICATION, shown, "message.notification")?;
        texts(shown, "message.notification")?;
    }
    if let Some(data) = message.get("data") {
        let data = object(data, "message.data")?;
        texts(data, "message.data")?;
        let is_reserved = |name: &&String| {
            matches!(name.as_str(), "from" | "message_type")
                || name.starts_with("google.")
                || name.starts_with("gcm.notification.")
        };
        if let Some(name) = data.keys().find(is_reserved) {
            return Err(bad_field("message.data", &format!("Invalid data payload key: {name}")));
        }
    }
    // A notification's names are Cloud Messaging's own; those of data are sent.
    let shown = values(message.get("notification"));
    if shown + names(message.get("data")) + values(message.get("data")) > MAX_BYTES {
        return Err(refusal(400, "Message too big"));
    }
    Ok(())
}

/// How many bytes the texts of a part have.
fn values(part: Option<&Value>) -> usize {
    entries(part).map(|(_, value)| value.as_str().map_or(0, str::len)).sum()
}

/// How many bytes the names of a part have.
fn names(part: Option<&Value>) -> usize {
    entries(part).map(|(name, _)| name.len()).sum()
}

fn entries(part: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    part.and_then(Value::as_object).into_iter().flatten()
}

/// What every token has been: a long word of these characters.
pub(super) fn looks_like_a_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:".contains(&byte);
    text.len() >= 20 && text.bytes().all(is_letter)
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| bad_field(place, &format!("Invalid value at '{place}'")))
}

fn only(known: &[&str], object: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown_field(name, place)),
        None => Ok(()),
    }
}

fn texts(object: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    match object.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => {
            let told = format!("Invalid value at '{place}.{name}' (TYPE_STRING)");
            Err(bad_field(&format!("{place}.{name}"), &told))
        }
        None => Ok(()),
    }
}
