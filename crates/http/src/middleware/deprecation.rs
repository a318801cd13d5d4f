//! The announced end of version 1 (contract §8).

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use chrono::DateTime;
use portcullis_domain::Timestamp;

use crate::api::Deprecation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Adds `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link` to the
/// guide to an answer of version 1, which is deprecated.
pub(super) fn announce(headers: &mut HeaderMap, path: &str, end: &Deprecation) {
    if !path.starts_with("/api/v1/") {
        return;
    }
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    };
    set(DEPRECATION, format!("@{}", end.since.as_seconds()));
    if let Some(sunset) = end.sunset {
        set(SUNSET, http_date(sunset));
    }
    if let Some(guide) = &end.guide {
        set(header::LINK, format!("<{guide}>; rel=\"deprecation\"; type=\"text/html\""));
    }
}

/// RFC 9110 §5.6.7.
fn http_date(at: Timestamp) -> String {
    let moment = DateTime::from_timestamp_micros(at.as_micros()).unwrap_or_default();
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_http_writes_them() {
        let at = Timestamp::from_seconds(1_796_083_200);
        assert_eq!(http_date(at), "Tue, 01 Dec 2026 00:00:00 GMT");
    }
}
