//! What the API offers to whom, and how often.

use portcullis_http::{Deprecation, HttpSettings, RateLimits};

use super::ServerSettings;
use super::parse;
use super::reader::{Reader, Wrong};

/// Largest picture that may be allowed: a request holds all of it in memory.
const MAX_AVATAR_BYTES: usize = 32 * 1024 * 1024;

pub(super) fn http(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
) -> Result<HttpSettings, Wrong> {
    let is_limited = reader.get("RATE_LIMIT_ENABLED", parse::switch);
    let window = reader.get("RATE_LIMIT_WINDOW", parse::seconds_or_duration);
    let limit = parse::whole_number(1, 1_000_000);
    let strict = reader.get("RATE_LIMIT_STRICT", &limit);
    let general = reader.get("RATE_LIMIT_DEFAULT", &limit);
    let public = reader.get("RATE_LIMIT_LENIENT", &limit);
    let user = reader.get("RATE_LIMIT_USER", &limit);
    let docs = reader.get("DOCS_ENABLED", parse::switch);
    let cors = reader.get("CORS_ORIGINS", parse::cors_origins);
    let trusted_proxies = reader.optional("TRUSTED_PROXIES", parse::networks);
    let avatar_max_bytes =
        reader.get("AVATAR_MAX_BYTES", parse::whole_number(1024, MAX_AVATAR_BYTES));
    let tells_version =
        reader.get("VERSION_DISCLOSURE", parse::word(&[("reveal", true), ("hide", false)]));
    let since = reader.optional("API_V1_DEPRECATED_ON", parse::date);
    let sunset = reader.optional("API_V1_SUNSET_ON", parse::date);
    let guide = reader.optional("API_V1_MIGRATION_URL", parse::url);
    let rate_limits = RateLimits {
        window: window?,
        strict: strict?,
        general: general?,
        public: public?,
        user: user?,
    };
    let (sunset, guide) = (sunset?, guide?);
    Ok(HttpSettings {
        version: tells_version?.then_some(env!("CARGO_PKG_VERSION")),
        is_https: server.is_some_and(|server| server.public_url.starts_with("https://")),
        docs: docs?,
        cors: cors?,
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
        rate_limits: is_limited?.then_some(rate_limits),
        avatar_max_bytes: avatar_max_bytes?,
        deprecation: since?.map(|since| Deprecation { since, sunset, guide }),
    })
}
