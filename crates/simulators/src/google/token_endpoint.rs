//! Where assertions become access tokens:
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::{Value, json};

use super::bearers::Bearers;
use super::refusal::Refusal;
use super::rsa_key::RsaKey;
use crate::machine_time;
use crate::request::{Reply, Request};
use crate::server::Service;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Longest life of an assertion, in seconds.
const MAX_LIFE: i64 = 3_600;
/// So far may the clocks be apart, in seconds.
const SKEW: i64 = 300;

/// Gives out access tokens for assertions of the accounts that it knows.
pub struct TokenEndpoint {
    accounts: HashMap<String, Arc<RsaKey>>,
    bearers: Bearers,
    /// How long a token lasts, as it says.
    pub lifetime_seconds: u64,
    /// The time to which its clock was set, in seconds since 1970.
    pub now: i64,
    /// When it was set, by the machine's clock, with which it goes on since; else
    /// it stands.
    set_at: Option<i64>,
}

impl TokenEndpoint {
    /// An endpoint that knows nobody, at this time, in seconds since 1970. Its
    /// clock stands, and tokens last until [`Bearers::expire_all`].
    #[must_use]
    pub fn new(bearers: Bearers, now: i64) -> Self {
        Self { accounts: HashMap::new(), bearers, lifetime_seconds: 3_599, now, set_at: None }
    }

    /// The same, but its clock is the machine's, and tokens last as long as it
    /// says.
    #[must_use]
    pub fn by_the_clock(bearers: Bearers) -> Self {
        let now = machine_seconds();
        Self { set_at: Some(now), ..Self::new(bearers, now) }
    }

    /// The time by which assertions are judged.
    fn time(&self) -> i64 {
        self.now + self.set_at.map_or(0, |set_at| machine_seconds() - set_at)
    }

    /// Makes an account known by its address and its key.
    #[must_use]
    pub fn knowing(mut self, client_email: &str, key: Arc<RsaKey>) -> Self {
        self.accounts.insert(client_email.to_owned(), key);
        self
    }

    /// Forgets all accounts, as when their keys were deleted.
    pub fn forget_all(&mut self) {
        self.accounts.clear();
    }

    fn issue(&self, scopes: &str) -> String {
        match self.set_at {
            Some(_) => self.bearers.issue_for(scopes, Duration::from_secs(self.lifetime_seconds)),
            None => self.bearers.issue(scopes),
        }
    }

    /// The scopes that the request is granted, or why not.
    fn judge(&self, request: &Request) -> Result<String, Refusal> {
        let form = request.form();
        let field = |name| form.iter().find(|(found, _)| found == name).map(|(_, it)| it.as_str());
        if field("grant_type") != Some(GRANT) {
            return Err(refused(400, "unsupported_grant_type", "Invalid grant_type"));
        }
        let invalid = |told: &str| refused(400, "invalid_grant", told);
        let assertion = field("assertion")
            .ok_or_else(|| refused(400, "invalid_request", "Missing parameter"))?;
        let issuer = unverified_issuer(assertion).ok_or_else(|| invalid("Invalid JWT"))?;
        let key = self
            .accounts
            .get(&issuer)
            .ok_or_else(|| invalid("Invalid grant: account not found"))?;
        let (header, claims) =
            key.verify(assertion).ok_or_else(|| invalid("Invalid JWT Signature."))?;
        if header["alg"] != "RS256" {
            return Err(invalid("Invalid JWT: algorithm must be RS256"));
        }
        let host = request.header("host").unwrap_or_default();
        if claims["aud"] != format!("http://{host}/token") {
            return Err(invalid("Invalid JWT: Failed audience check."));
        }
        if !is_timely(&claims, self.time()) {
            return Err(invalid(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                 timeframe. Check your iat and exp values in the JWT claim.",
            ));
        }
        let scope = claims["scope"].as_str().unwrap_or_default();
        let is_scope = |scope: &str| scope.starts_with("https://www.googleapis.com/auth/");
        if scope.is_empty() || !scope.split_whitespace().all(is_scope) {
            return Err(refused(400, "invalid_scope", "Invalid OAuth scope or ID token audience."));
        }
        Ok(scope.to_owned())
    }
}

fn machine_seconds() -> i64 {
    machine_time::now() / 1_000
}

/// Whom a token claims to be by, before anything is known of its signature.
fn unverified_issuer(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["iss"].as_str().map(str::to_owned)
}

/// Whether it was made about now, and for an hour at most.
fn is_timely(claims: &Value, now: i64) -> bool {
    let (Some(issued), Some(expires)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
        return false;
    };
    issued <= now + SKEW && expires > now && (1..=MAX_LIFE).contains(&(expires - issued))
}

/// RFC 6749 §5.2.
fn refused(status: u16, error: &str, description: &str) -> Refusal {
    Refusal { status, body: json!({"error": error, "error_description": description}) }
}

impl Service for TokenEndpoint {
    fn answer(&mut self, request: &Request) -> Reply {
        if request.segments() != ["token"] {
            return refused(404, "not_found", "Not found").into();
        }
        if request.method != Method::POST {
            return refused(405, "invalid_request", "Method not allowed").into();
        }
        let is_form = request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return refused(400, "invalid_request", "Invalid content type").into();
        }
        match self.judge(request) {
            Ok(scope) => Reply::json(
                200,
                &json!({
                    "access_token": self.issue(&scope),
                    "expires_in": self.lifetime_seconds,
                    "token_type": "Bearer"
                }),
            ),
            Err(refusal) => refusal.into(),
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        refused(status, "internal_failure", "Try again later").into()
    }
}
