//! The announced end of version 1 (contract §8).

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;
use chrono::DateTime;
use portcullis_domain::Timestamp;

use crate::Api;
use crate::api::Deprecation;
use crate::middleware::routed_path;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Adds `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link` to the
/// guide to the answers of version 1, once it is deprecated.
pub(crate) async fn deprecation(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_v1 = routed_path(&request).starts_with("/api/v1/");
    let api = request.app_data::<web::Data<Api>>().cloned();
    let mut response = next.call(request).await?;
    if let Some(end) = api.as_ref().and_then(|api| api.settings.deprecation.as_ref())
        && is_v1
    {
        announce(response.headers_mut(), end);
    }
    Ok(response)
}

fn announce(headers: &mut HeaderMap, end: &Deprecation) {
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
