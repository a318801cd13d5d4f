//! What an operator decides: life times, limits, policies, links.

use std::time::Duration;

use portcullis_domain::ports::MailCap;
use portcullis_domain::{Contract, LockoutPolicy, PasswordPolicy};

/// How long the sessions of one contract last, and whether they rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Life of a session, and so of its refresh tokens. Refreshing does not
    /// extend it (OWASP ASVS 5.0 §7.3.2).
    pub session_ttl: Duration,
    /// Whether each refresh replaces the refresh token.
    pub rotates: bool,
}

/// What registering an address that is taken tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disclosure {
    /// That it is taken (contract A).
    #[default]
    Reveal,
    /// Nothing: the answer is a success of equal shape, and the owner gets a mail.
    Hide,
}

/// Where the links in mails lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Origin of the links, without a slash at the end (`PUBLIC_URL`).
    pub public_url: String,
    /// The page for a new password (`PASSWORD_RESET_URL`): `{token}` in it
    /// stands for the token; without it, `#token=…` is added.
    pub password_reset: String,
}

impl Links {
    /// The link that proves a mailbox (contract §9).
    #[must_use]
    pub fn verification(&self, token: &str) -> String {
        format!("{}/api/v1/auth/verify-email/{token}", self.public_url)
    }

    /// The link to choose a new password. By default the token is in the
    /// fragment, which browsers send to nobody.
    #[must_use]
    pub fn password_reset(&self, token: &str) -> String {
        if self.password_reset.contains("{token}") {
            self.password_reset.replace("{token}", token)
        } else {
            format!("{}#token={token}", self.password_reset)
        }
    }
}

/// Everything an operator decides about the use cases.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Which passwords may be chosen.
    pub password_policy: PasswordPolicy,
    /// When guessing locks.
    pub lockout: LockoutPolicy,
    /// What registering a taken address tells.
    pub disclosure: Disclosure,
    /// Sessions of contract A.
    pub json: SessionRules,
    /// Sessions of contract B.
    pub form: SessionRules,
    /// How long a rotated refresh token may be replayed.
    pub refresh_grace: Duration,
    /// Life of a verification token, from its first sending.
    pub verification_ttl: Duration,
    /// Life of a reset token, from its first sending.
    pub reset_ttl: Duration,
    /// How much mail of one kind one recipient may be sent.
    pub mail_cap: MailCap,
    /// How long an account waits for its mailbox to be proven before it is
    /// removed and its address is free again.
    pub unverified_ttl: Duration,
    /// Where links lead.
    pub links: Links,
}

impl Rules {
    /// The rules of the sessions of a contract.
    #[must_use]
    pub fn sessions(&self, contract: Contract) -> SessionRules {
        match contract {
            Contract::Json => self.json,
            Contract::Form => self.form,
        }
    }
}

impl Default for Rules {
    /// The defaults of contract §10.
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_mins(1);
        const HOUR: Duration = Duration::from_hours(1);
        const DAY: Duration = Duration::from_hours(24);
        let public_url = String::from("http://localhost:8000");
        Self {
            password_policy: PasswordPolicy::Basic,
            lockout: LockoutPolicy { per_source: 10, per_identifier: 100, duration: HOUR },
            disclosure: Disclosure::Reveal,
            json: SessionRules { access_ttl: 30 * MINUTE, session_ttl: 30 * DAY, rotates: true },
            form: SessionRules { access_ttl: HOUR, session_ttl: DAY, rotates: false },
            refresh_grace: Duration::from_secs(10),
            verification_ttl: DAY,
            reset_ttl: HOUR,
            mail_cap: MailCap { limit: 5, window: HOUR },
            unverified_ttl: 3 * DAY,
            links: Links { password_reset: format!("{public_url}/reset-password"), public_url },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_link_keeps_its_token_out_of_requests_unless_told_where_to_put_it() {
        let mut links = Rules::default().links;
        assert_eq!(links.password_reset("t"), "http://localhost:8000/reset-password#token=t");
        links.password_reset = "https://app.example.com/reset?t={token}".into();
        assert_eq!(links.password_reset("t"), "https://app.example.com/reset?t=t");
    }
}
