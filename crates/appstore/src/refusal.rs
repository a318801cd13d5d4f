//! What Apple's refusals mean: the same whatever was asked.

use std::fmt;
use std::time::Duration;

use portcullis_api_client::{Answer, CallError};
use portcullis_domain::Timestamp;
use portcullis_domain::error::remark;
use portcullis_domain::ports::{Missing, PurchaseArgument, PurchaseError};
use serde::Deserialize;

/// Longest wait that is believed.
const MAX_WAIT: Duration = Duration::from_hours(24);
/// From here on a `Retry-After` is a point in time: 2001 in milliseconds, or a
/// wait of thirty thousand years in seconds.
const FIRST_MILLISECOND: i64 = 1_000_000_000_000;

/// A refusal, as far as Apple explains it.
#[derive(Debug, thiserror::Error)]
struct Refusal {
    status: u16,
    code: Option<i64>,
    /// What it said, fit for a log.
    told: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", error {code}")?;
        }
        if !self.told.is_empty() {
            write!(f, ": {}", self.told)?;
        }
        Ok(())
    }
}

/// The body of a refusal:
/// <https://developer.apple.com/documentation/appstoreserverapi/error-codes>.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    error_code: Option<i64>,
    #[serde(default)]
    error_message: String,
}

/// What an answer means that is no success; `asked` is what is missing if Apple
/// does not say what is.
pub(crate) fn refused(answer: &Answer, asked: Missing, now: Timestamp) -> PurchaseError {
    let body: Body = answer.json().unwrap_or_default();
    let (status, code) = (answer.status.as_u16(), body.error_code);
    let source = Box::new(Refusal { status, code, told: remark(&body.error_message) });
    match (status, code) {
        (400, _) => PurchaseError::InvalidArgument { which: argument(code), source },
        (401, _) => PurchaseError::InvalidCredentials(source),
        (403, Some(4_030_004 | 4_030_005 | 4_030_007)) => PurchaseError::Ineligible(source),
        // Of these three Apple says that they may be found a little later.
        (404, Some(4_040_002 | 4_040_004 | 4_040_006)) | (408 | 500..=599, _) => {
            PurchaseError::Unavailable(source)
        }
        (404, Some(code)) => PurchaseError::NotFound { what: missing(code, asked), source },
        (429, _) => PurchaseError::RateLimited { retry_after: retry_after(answer, now), source },
        // A 404 without a code is somebody else's: a proxy's, or another site's.
        _ => PurchaseError::Unexpected(source),
    }
}

/// What no answer means.
pub(crate) fn failed(error: CallError) -> PurchaseError {
    if error.is_outage() {
        PurchaseError::Unavailable(error.into())
    } else {
        PurchaseError::Unexpected(error.into())
    }
}

fn argument(code: Option<i64>) -> PurchaseArgument {
    match code {
        Some(4_000_005) => PurchaseArgument::Revision,
        Some(4_000_006) => PurchaseArgument::TransactionId,
        Some(4_000_008 | 4_000_187) => PurchaseArgument::OriginalTransactionId,
        Some(4_000_009) => PurchaseArgument::ExtensionDays,
        Some(4_000_010) => PurchaseArgument::ExtensionReason,
        Some(4_000_011) => PurchaseArgument::ExtensionRequestId,
        _ => PurchaseArgument::Unnamed,
    }
}

fn missing(code: i64, asked: Missing) -> Missing {
    match code {
        4_040_001 => Missing::Account,
        4_040_003 => Missing::App,
        _ => asked,
    }
}

/// Apple tells when to come back as a point in time, in milliseconds since the
/// epoch; what stands between may tell the usual seconds.
/// <https://developer.apple.com/documentation/appstoreserverapi/identifying-rate-limits>
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let number: i64 = answer.headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    if number < FIRST_MILLISECOND {
        return answer.retry_after();
    }
    let moment = Timestamp::from_micros(number.saturating_mul(1_000));
    Some(moment.since(now).min(MAX_WAIT))
}
