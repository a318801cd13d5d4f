//! How passwords are hashed.

use portcullis_crypto::HashingScheme;

use super::ServerSettings;
use super::parse;
use super::reader::{Reader, Wrong};

/// Lowest cost outside of development (contract §10).
const PRODUCTION_ROUNDS: u32 = 10;

pub(super) fn hashing(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
    is_embedded: bool,
) -> Result<HashingScheme, Wrong> {
    let is_argon2 =
        reader.get("PASSWORD_HASHER", parse::word(&[("bcrypt", false), ("argon2id", true)]));
    let is_local = is_embedded && server.is_none_or(|server| server.host.is_loopback());
    let cost: Result<u32, Wrong> = reader.get("BCRYPT_ROUNDS", |text| {
        let cost = parse::whole_number(4, 17)(text)?;
        if cost < PRODUCTION_ROUNDS && !is_local {
            return Err(format!(
                "must be at least {PRODUCTION_ROUNDS}, unless the database is embedded and HOST is a loopback address"
            ));
        }
        Ok(cost)
    });
    let cost = cost?;
    Ok(if is_argon2? { HashingScheme::Argon2id } else { HashingScheme::BcryptSha256 { cost } })
}
