//! Refusals in Google's words:
//! <https://cloud.google.com/apis/design/errors#http_mapping>.

use serde_json::{Value, json};

use crate::request::Reply;

/// A refusal: a status and what is said about it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::json(refusal.status, &refusal.body)
    }
}

/// Google's name for a status.
fn code(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

/// A refusal with a message.
pub(super) fn refusal(status: u16, message: &str) -> Refusal {
    detailed(status, message, &[])
}

/// A refusal with details.
pub(super) fn detailed(status: u16, message: &str, details: &[Value]) -> Refusal {
    let mut error = json!({"code": status, "message": message, "status": code(status)});
    if !details.is_empty() {
        error["details"] = details.into();
    }
    Refusal { status, body: json!({"error": error}) }
}

/// A request that names a field wrongly, or gives it a value that it cannot have.
pub(super) fn bad_field(field: &str, description: &str) -> Refusal {
    let violation = json!({"field": field, "description": description});
    let detail = json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [violation]
    });
    detailed(400, description, &[detail])
}

/// A body with a field that is not published.
pub(super) fn unknown_field(name: &str, place: &str) -> Refusal {
    let at = if place.is_empty() { String::new() } else { format!(" at '{place}'") };
    let told =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.");
    bad_field(place, &told)
}
