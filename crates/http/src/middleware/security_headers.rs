//! Headers that tell browsers what not to do (contract §7).

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// For documents that are data.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// For pages: everything from here, styles also inline (Swagger UI and `ReDoc`
/// write them), `ReDoc`'s search worker from a blob.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     connect-src 'self'; worker-src 'self' blob:; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// Adds the headers of an answer to that path.
pub(super) fn add(headers: &mut HeaderMap, path: &str, is_https: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=(), payment=()");
    set(
        header::REFERRER_POLICY,
        if holds_token(path) { "no-referrer" } else { "strict-origin-when-cross-origin" },
    );
    if path.starts_with("/api") {
        set(header::CACHE_CONTROL, "no-store");
    }
    if is_https {
        // Two years: what browsers' preload lists ask for.
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
}

/// Pages whose address holds, or held, a token or a signature.
fn holds_token(path: &str) -> bool {
    path.starts_with("/api/v1/auth/verify-email/")
        || path.starts_with("/objects/")
        || path == "/reset-password"
}
