//! What of the contract a conversation did not touch.

use crate::transcript::Transcript;

/// Problems of dependencies, of connections and of services, which no conversation
/// provokes.
const BEYOND: [&str; 5] = [
    "SERVICE_UNAVAILABLE",
    "INTERNAL_SERVER_ERROR",
    "REQUEST_TIMEOUT",
    "BAD_REQUEST",
    "PURCHASE_TAKEN",
];

/// Where routes begin that are there only with their service; the two contracts
/// know none of them.
const SERVICES: [&str; 4] = [
    "/api/v1/auth/firebase",
    "/api/v1/auth/me/avatar",
    "/api/v1/auth/me/devices/",
    "/api/v1/purchases",
];

fn document() -> serde_json::Value {
    serde_json::to_value(portcullis_http::document()).unwrap()
}

/// The operations of the `OpenAPI` document that nobody asked for.
pub(crate) fn operations_left_out(requests: &[(String, String)]) -> Vec<String> {
    let document = document();
    let mut left_out = Vec::new();
    let paths = document["paths"].as_object().unwrap().iter();
    let of_contract =
        paths.filter(|(path, _)| !SERVICES.iter().any(|service| path.starts_with(service)));
    for (path, operations) in of_contract {
        for method in operations.as_object().unwrap().keys() {
            let is_asked = requests
                .iter()
                .any(|(asked, at)| asked.eq_ignore_ascii_case(method) && is_at(path, at));
            if !is_asked {
                left_out.push(format!("{method} {path}"));
            }
        }
    }
    left_out
}

/// Whether a path is one of a pattern with `{name}` segments.
fn is_at(pattern: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(wanted, found)| wanted == found || wanted.starts_with('{'))
}

/// The error codes that no answer carried.
pub(crate) fn error_codes_left_out(transcript: &Transcript) -> Vec<String> {
    let document = document();
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .filter(|code| !BEYOND.contains(&code.as_str()))
        .filter(|code| !transcript.tells(&format!("\"error_code\":\"{code}\"")))
        .collect()
}
