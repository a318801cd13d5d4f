//! Settings that are for development, where it is no development.

use portcullis_crypto::HashingScheme;
use portcullis_http::CorsOrigins;

use super::finding::Finding;
use crate::settings::{DatabaseSettings, Parts};

const WHAT: &str = "unsafe settings";
/// Bcrypt's cost by default; less than 10 is refused outside of development.
const COST: u32 = 12;
/// More failures before a lock than this are as good as no lock.
const MANY_FAILURES: u32 = 1_000;
/// Guesses a second that are as good as no limit.
const MANY_GUESSES: u64 = 10;

pub(super) fn check(parts: &Parts) -> Vec<Finding> {
    if is_development(parts) {
        return vec![Finding::off(
            WHAT,
            "not looked at: an embedded database, on this machine alone",
        )];
    }
    let mut found: Vec<(String, &str)> = Vec::new();
    at_the_door(parts, &mut found);
    against_guessing(parts, &mut found);
    if found.is_empty() {
        return vec![Finding::ok(WHAT, "none")];
    }
    found.into_iter().map(|(told, advice)| Finding::warning(WHAT, told, advice)).collect()
}

/// An embedded database, a loopback address, and nothing in front of it.
fn is_development(parts: &Parts) -> bool {
    let is_embedded = parts.database.as_ref().is_ok_and(DatabaseSettings::is_embedded);
    let is_alone = parts.server.as_ref().is_ok_and(|server| {
        server.host.is_loopback() && !server.public_url.starts_with("https://")
    });
    is_embedded && is_alone
}

/// What strangers see, and what goes out.
fn at_the_door(parts: &Parts, found: &mut Vec<(String, &str)>) {
    if let Ok(server) = &parts.server {
        if server.public_url.starts_with("http://") {
            let told = format!("PUBLIC_URL={} is not https", server.public_url);
            found.push((told, "put TLS in front: tokens travel under it in the clear"));
        }
        let is_embedded = parts.database.as_ref().is_ok_and(DatabaseSettings::is_embedded);
        if is_embedded && !server.host.is_loopback() {
            let told = format!("HOST={} with the embedded database", server.host);
            let advice = "one instance with one disk is all there can be: Postgres, or HOST=127.0.0.1 behind a proxy, and copies of the data folder";
            found.push((told, advice));
        }
    }
    if let Ok(http) = &parts.http {
        if http.docs {
            let advice = "DOCS_ENABLED=false, unless the API's description is meant for everybody";
            found.push(("DOCS_ENABLED: /docs, /redoc and /openapi.json are open".into(), advice));
        }
        if http.cors == CorsOrigins::Any {
            let told = "CORS_ORIGINS=*: pages of any origin may call";
            found.push((told.into(), "CORS_ORIGINS with the origins of your own pages"));
        }
    }
    if parts.mail.as_ref().is_ok_and(|mail| mail.providers.is_empty()) {
        let told = "MAIL_PROVIDER=mailbox: mails are kept, and sent to nobody";
        found.push((told.into(), "MAIL_PROVIDER=smtp, resend or brevo"));
    }
    if let Ok(Some(count)) = parts.seeding_user_count {
        let told = format!("SEEDING_USER_COUNT={count}: demo users are added again and again");
        found.push((told, "unset SEEDING_USER_COUNT"));
    }
}

/// What guessing passwords costs.
fn against_guessing(parts: &Parts, found: &mut Vec<(String, &str)>) {
    match parts.http.as_ref().map(|http| http.rate_limits) {
        Ok(None) => {
            let told = "RATE_LIMIT_ENABLED=false: nobody is limited";
            found.push((told.into(), "RATE_LIMIT_ENABLED=true, unless a proxy limits"));
        }
        Ok(Some(limits)) => {
            let most = limits.window.as_secs().max(1).saturating_mul(MANY_GUESSES);
            if u64::from(limits.strict) > most {
                let told = format!(
                    "RATE_LIMIT_STRICT={} per {} s: passwords may be tried at that rate",
                    limits.strict,
                    limits.window.as_secs()
                );
                found.push((told, "lower RATE_LIMIT_STRICT (10 per minute by default)"));
            }
        }
        Err(_) => {}
    }
    if let Ok(rules) = &parts.rules {
        let most = rules.lockout.per_source.max(rules.lockout.per_identifier);
        if most > MANY_FAILURES {
            let told = format!("LOCKOUT_*: {most} failures before an account is locked");
            found.push((told, "lower LOCKOUT_THRESHOLD and LOCKOUT_ACCOUNT_THRESHOLD"));
        }
    }
    if let Ok(HashingScheme::BcryptSha256 { cost }) = parts.hashing
        && cost < COST
    {
        let told = format!("BCRYPT_ROUNDS={cost}: a stolen hash is tried quickly");
        found.push((told, "BCRYPT_ROUNDS=12 or more; hashes are renewed at the next logins"));
    }
}
