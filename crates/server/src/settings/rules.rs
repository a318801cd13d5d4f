//! What is allowed, and for how long.

use portcullis_app::{Disclosure, Links, Rules, SessionRules};
use portcullis_domain::ports::MailCap;
use portcullis_domain::{LockoutPolicy, PasswordPolicy};

use super::ServerSettings;
use super::parse;
use super::reader::{Reader, Wrong};

pub(super) fn rules(reader: &mut Reader, server: Option<&ServerSettings>) -> Result<Rules, Wrong> {
    let policies = [("basic", PasswordPolicy::Basic), ("composition", PasswordPolicy::Composition)];
    let disclosures = [("reveal", Disclosure::Reveal), ("hide", Disclosure::Hide)];
    let password_policy = reader.get("PASSWORD_POLICY", parse::word(&policies));
    let disclosure = reader.get("REGISTRATION_DISCLOSURE", parse::word(&disclosures));
    let per_source = reader.get("LOCKOUT_THRESHOLD", parse::whole_number(1, 1_000_000));
    let per_identifier = reader.get("LOCKOUT_ACCOUNT_THRESHOLD", parse::whole_number(1, 1_000_000));
    let lockout_duration = reader.get("LOCKOUT_DURATION", parse::duration);
    let json_access = reader.get("ACCESS_TOKEN_TTL", parse::duration);
    let json_session = reader.get("REFRESH_TOKEN_TTL", parse::duration);
    let refresh_grace = reader.get("REFRESH_GRACE", parse::duration_or_none);
    let form_access = reader.get("FORM_ACCESS_TOKEN_TTL", parse::duration);
    let form_session = reader.get("FORM_REFRESH_TOKEN_TTL", parse::duration);
    let form_rotates = reader.get("FORM_REFRESH_ROTATION", parse::switch);
    let verification_ttl = reader.get("VERIFICATION_TOKEN_TTL", parse::duration);
    let unverified_ttl = reader.get("UNVERIFIED_ACCOUNT_TTL", parse::duration);
    let reset_ttl = reader.get("RESET_TOKEN_TTL", parse::duration);
    let password_reset = reader.optional("PASSWORD_RESET_URL", parse::url);
    let public_url = server.map(|server| server.public_url.clone()).unwrap_or_default();
    let defaults = Rules::default();
    Ok(Rules {
        password_policy: password_policy?,
        disclosure: disclosure?,
        lockout: LockoutPolicy {
            per_source: per_source?,
            per_identifier: per_identifier?,
            duration: lockout_duration?,
        },
        json: SessionRules { access_ttl: json_access?, session_ttl: json_session?, rotates: true },
        form: SessionRules {
            access_ttl: form_access?,
            session_ttl: form_session?,
            rotates: form_rotates?,
        },
        refresh_grace: refresh_grace?,
        verification_ttl: verification_ttl?,
        reset_ttl: reset_ttl?,
        mail_cap: MailCap { ..defaults.mail_cap },
        unverified_ttl: unverified_ttl?,
        links: Links {
            password_reset: password_reset?
                .unwrap_or_else(|| format!("{public_url}/reset-password")),
            public_url,
        },
    })
}
