//! From a setting's text to its value, or to what is allowed instead.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use portcullis_crypto::{JwtAlgorithm, ServerSecret};
use portcullis_domain::Timestamp;
use portcullis_http::CorsOrigins;
use portcullis_postgres::AddressError;
use portcullis_smtp::SmtpSettings;
use tracing_subscriber::EnvFilter;

use super::Database;
use super::mail::Named;

type Parsed<T> = Result<T, String>;

pub(super) fn host(text: &str) -> Parsed<IpAddr> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse().map_err(|_| "must be an IP address, such as 127.0.0.1 or 0.0.0.0".into())
}

pub(super) fn socket(text: &str) -> Parsed<SocketAddr> {
    let address = text.parse().ok().filter(|address: &SocketAddr| address.port() != 0);
    address.ok_or_else(|| "must be an IP address and a port, such as 127.0.0.1:9100".into())
}

pub(super) fn whole_number<T>(min: T, max: T) -> impl Fn(&str) -> Parsed<T>
where
    T: FromStr + PartialOrd + std::fmt::Display + Copy,
{
    move |text| {
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        number.ok_or_else(|| format!("must be a whole number from {min} to {max}"))
    }
}

pub(super) fn switch(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&str) -> Parsed<T> {
    move |text| {
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            format!("must be one of: {}", names.join(", "))
        })
    }
}

pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let duration = duration_or_none(text)?;
    if duration.is_zero() { Err("must be more than nothing".into()) } else { Ok(duration) }
}

/// A duration that may be zero.
pub(super) fn duration_or_none(text: &str) -> Parsed<Duration> {
    humantime::parse_duration(text).map_err(|_| "must be a duration such as 10s, 30m or 24h".into())
}

pub(super) fn seconds_or_duration(text: &str) -> Parsed<Duration> {
    match text.parse::<u64>() {
        Ok(0) => Err("must be more than nothing".into()),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => duration(text).map_err(|_| "must be seconds, or a duration such as 1m".into()),
    }
}

/// `http(s)://host[:port]`, without a slash at the end.
pub(super) fn origin(text: &str) -> Parsed<String> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(is_plain) => Ok(text.to_owned()),
        _ => Err("must be an origin such as https://auth.example.com".into()),
    }
}

/// Whether what is sent to that origin cannot be read on its way.
pub(super) fn is_https_or_local(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else { return true };
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || host.ends_with(".localhost") || is_loopback
}

pub(super) fn url(text: &str) -> Parsed<String> {
    let has_scheme = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte));
    if has_scheme && is_plain {
        Ok(text.to_owned())
    } else {
        Err("must be an address that begins with https:// or http://".into())
    }
}

/// An address of an API, to which secrets are sent.
#[cfg(any(feature = "firebase", feature = "appstore"))]
pub(super) fn base_url(text: &str) -> Parsed<String> {
    let parsed: Result<portcullis_api_client::BaseUrl, _> = text.parse();
    parsed.map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn database(text: &str) -> Parsed<Database> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        let address = text.parse().map_err(|error: AddressError| error.to_string())?;
        return Ok(Database::Postgres(Box::new(address)));
    }
    match text.strip_prefix("sqlite://") {
        Some(path) if path.starts_with(':') || path.starts_with("file:") || path.contains('?') => {
            Err("must be sqlite://<file>, without options; data is always kept in a file".into())
        }
        Some(path) if !path.is_empty() => Ok(Database::Sqlite(PathBuf::from(path))),
        _ => Err("must be sqlite://<file> or postgres://user:password@host:port/database".into()),
    }
}

pub(super) fn redis(text: &str) -> Parsed<portcullis_redis::Address> {
    text.parse().map_err(|error: portcullis_redis::AddressError| error.to_string())
}

pub(super) fn secret(text: &str) -> Parsed<ServerSecret> {
    ServerSecret::parse(text.into()).map_err(|weak| weak.to_string())
}

pub(super) fn algorithm(text: &str) -> Parsed<JwtAlgorithm> {
    let known =
        [JwtAlgorithm::Hs256, JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256];
    word(&known.map(|algorithm| (algorithm.name(), algorithm)))(text)
}

pub(super) fn one_line(text: &str) -> Parsed<String> {
    if text.chars().any(char::is_control) {
        Err("must be one line without control characters".into())
    } else {
        Ok(text.to_owned())
    }
}

/// Mail providers, in the order in which they are tried; none of them stands for
/// the mailbox.
pub(super) fn mail_providers(text: &str) -> Parsed<Vec<Named>> {
    if text == "mailbox" {
        return Ok(Vec::new());
    }
    let known = Named::ALL.map(|provider| (provider.name(), provider));
    let named: Result<Vec<_>, _> = list(text).map(word(&known)).collect();
    let distinct = |named: &[Named]| named.iter().collect::<HashSet<_>>().len();
    match named {
        Ok(named) if !named.is_empty() && distinct(&named) == named.len() => Ok(named),
        _ => Err("must be mailbox, or one or several of smtp, resend, brevo, by commas".into()),
    }
}

pub(super) fn smtp(text: &str) -> Parsed<SmtpSettings> {
    SmtpSettings::parse(text).map_err(|error| error.to_string())
}

pub(super) fn cors_origins(text: &str) -> Parsed<CorsOrigins> {
    if text == "*" {
        return Ok(CorsOrigins::Any);
    }
    let listed: Result<Vec<_>, _> = list(text).map(origin).collect();
    listed
        .and_then(|origins| if origins.is_empty() { Err(String::new()) } else { Ok(origins) })
        .map(CorsOrigins::Listed)
        .map_err(|_| "must be * or origins such as https://app.example.com, by commas".into())
}

pub(super) fn networks(text: &str) -> Parsed<Vec<IpNet>> {
    let network = |text: &str| {
        let address = || text.parse::<IpAddr>().map(IpNet::from).ok();
        text.parse::<IpNet>().ok().or_else(address)
    };
    let listed: Option<Vec<_>> = list(text).map(network).collect();
    listed.ok_or_else(|| "must be networks such as 10.0.0.0/8, by commas".into())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// A day, as its first moment in UTC.
pub(super) fn date(text: &str) -> Parsed<Timestamp> {
    let moment = humantime::parse_rfc3339_weak(&format!("{text} 00:00:00")).ok();
    let since = moment.and_then(|moment| moment.duration_since(std::time::UNIX_EPOCH).ok());
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.map(Timestamp::from_seconds).ok_or_else(|| "must be a date such as 2026-12-31".into())
}

pub(super) fn log_level(text: &str) -> Parsed<String> {
    // A bare word that is no level would silence everything.
    let is_level = ["off", "error", "warn", "info", "debug", "trace"].contains(&text);
    match EnvFilter::try_new(text) {
        Ok(_) if is_level || text.contains('=') => Ok(text.to_owned()),
        _ => Err("must be error, warn, info, debug, trace, or a filter such as info,portcullis_http=debug".into()),
    }
}
