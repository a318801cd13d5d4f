//! Everything that is not a success: status, code and text in one place.

mod refusals;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use portcullis_app::Failure;
use portcullis_domain::purchase::ProductMismatch;
use portcullis_domain::push::InvalidDeviceToken;
use portcullis_domain::{Contract, Timestamp, WeakPassword};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::body::MAX_BODY;

/// Machine-readable causes, one code each; stable (contract §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// Contract A: the address belongs to an account.
    EmailAlreadyRegistered,
    /// Contract B: the username or the address belongs to an account.
    RegistrationFailed,
    /// The password may not be chosen.
    WeakPassword,
    /// Contract A: wrong e-mail or password.
    InvalidCredentials,
    /// Contract B: wrong username or password.
    Unauthorized,
    /// The password was right, but the address is not proven.
    EmailNotVerified,
    /// Too many failed logins.
    AccountLocked,
    /// The refresh token is not good.
    InvalidRefreshToken,
    /// The access, verification or reset token is not good.
    InvalidToken,
    /// The session of the access token ended.
    TokenRevoked,
    /// No bearer token was sent.
    NotAuthenticated,
    /// The request does not say what it must.
    ValidationError,
    /// Too many requests.
    RateLimitExceeded,
    /// Another account has this purchase.
    PurchaseTaken,
    /// Nothing is there.
    NotFound,
    /// It is there, but not for this method.
    MethodNotAllowed,
    /// The body is over 64 KiB.
    PayloadTooLarge,
    /// The body is of another kind than the route reads.
    UnsupportedMediaType,
    /// The request was not sent in time.
    RequestTimeout,
    /// The request is not HTTP that this server accepts.
    BadRequest,
    /// A dependency is away; try again later.
    ServiceUnavailable,
    /// A defect of ours.
    InternalServerError,
}

/// One thing that is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Path of the field inside the body; empty for the body itself.
    #[schema(example = json!(["email"]))]
    pub(crate) loc: Vec<String>,
    /// What is wrong, for people. Never the submitted value.
    #[schema(example = "field required")]
    pub(crate) msg: Cow<'static, str>,
    /// What is wrong, for programs.
    #[serde(rename = "type")]
    #[schema(example = "value_error.missing")]
    pub(crate) kind: &'static str,
}

/// A text, or a list of what is wrong with which field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// What happened, in one sentence.
    Text(Cow<'static, str>),
    /// All fields that are not right, at once.
    Fields(Vec<FieldError>),
}

/// The body of every answer that is not a success.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// What happened: a text, or for `VALIDATION_ERROR` a list of fields.
    pub(crate) detail: &'a Detail,
    /// What happened, for programs.
    pub(crate) error_code: ErrorCode,
    /// When, RFC 3339 in UTC.
    #[schema(value_type = String, format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    pub(crate) timestamp: String,
}

/// An answer that is not a success.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: ErrorCode,
    pub(crate) detail: Detail,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) allow: Option<String>,
    /// What only the log is told.
    pub(crate) cause: Option<Arc<Failure>>,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// How long a client is asked to wait for a dependency to come back.
const RETRY_LATER: Duration = Duration::from_secs(2);

impl Problem {
    fn new(status: StatusCode, code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        let detail = Detail::Text(text.into());
        Self { status, code, detail, retry_after: None, allow: None, cause: None }
    }

    pub(crate) fn invalid_fields(fields: Vec<FieldError>) -> Self {
        Self {
            detail: Detail::Fields(fields),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::ValidationError, "")
        }
    }

    pub(crate) fn invalid_body(kind: &'static str, msg: &'static str) -> Self {
        Self::invalid_fields(vec![FieldError { loc: Vec::new(), msg: msg.into(), kind }])
    }

    pub(crate) fn not_json() -> Self {
        Self::invalid_body("value_error.jsondecode", "the body is not valid JSON")
    }

    /// No bearer token: contract A says 403 where it reads a profile, contract
    /// B and logout say 401.
    pub(crate) fn not_authenticated(contract: Contract) -> Self {
        let status = match contract {
            Contract::Json => StatusCode::FORBIDDEN,
            Contract::Form => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, ErrorCode::NotAuthenticated, "Not authenticated")
    }

    pub(crate) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken, "Invalid or expired token")
    }

    pub(crate) fn revoked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::TokenRevoked, "Token has been revoked")
    }

    pub(crate) fn user_gone_or_inactive() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken, "User not found or inactive")
    }

    pub(crate) fn user_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "User not found")
    }

    pub(crate) fn invalid_credentials(contract: Contract) -> Self {
        match contract {
            Contract::Json => Self::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::InvalidCredentials,
                "Invalid email or password",
            ),
            Contract::Form => Self::new(
                StatusCode::UNAUTHORIZED,
                ErrorCode::Unauthorized,
                "Incorrect username or password",
            ),
        }
    }

    pub(crate) fn email_not_verified() -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::EmailNotVerified, "Email not verified")
    }

    pub(crate) fn account_not_verified() -> Self {
        let text = "The account of this email is not verified. Verify it or reset its password.";
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::EmailNotVerified, text)
    }

    pub(crate) fn identity_revoked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::TokenRevoked, "The sign-in was revoked")
    }

    pub(crate) fn not_a_picture() -> Self {
        Self::unsupported_media_type("image/jpeg, image/png or image/webp")
    }

    pub(crate) fn damaged_picture(why: String) -> Self {
        let msg = why.into();
        Self::invalid_fields(vec![FieldError { loc: Vec::new(), msg, kind: "value_error.image" }])
    }

    pub(crate) fn no_picture() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "There is no picture")
    }

    pub(crate) fn no_device() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "There is no such device")
    }

    pub(crate) fn no_transaction() -> Self {
        let text = "The App Store does not have this transaction";
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, text)
    }

    pub(crate) fn other_product(mismatch: &ProductMismatch) -> Self {
        Self::invalid_fields(vec![FieldError {
            loc: vec!["product_id".to_owned()],
            msg: mismatch.to_string().into(),
            kind: "value_error.product",
        }])
    }

    pub(crate) fn bad_device_token(invalid: InvalidDeviceToken) -> Self {
        Self::invalid_fields(vec![FieldError {
            loc: vec!["token".to_owned()],
            msg: invalid.to_string().into(),
            kind: "value_error.device_token",
        }])
    }

    pub(crate) fn purchase_taken() -> Self {
        let text = "This purchase belongs to another account";
        Self::new(StatusCode::CONFLICT, ErrorCode::PurchaseTaken, text)
    }

    pub(crate) fn not_apples() -> Self {
        let text = "The payload was not signed by Apple for this app";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken, text)
    }

    pub(crate) fn account_locked(retry_after: Duration) -> Self {
        let text = "Account locked due to failed login attempts";
        Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::AccountLocked, text).after(retry_after)
    }

    pub(crate) fn rate_limited(retry_after: Duration) -> Self {
        let text = "Rate limit exceeded. Please slow down your requests.";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimitExceeded, text);
        problem.after(retry_after)
    }

    pub(crate) fn email_taken() -> Self {
        let code = ErrorCode::EmailAlreadyRegistered;
        Self::new(StatusCode::BAD_REQUEST, code, "Email already registered")
    }

    pub(crate) fn registration_failed() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            ErrorCode::RegistrationFailed,
            "Unable to complete registration. Please check your input and try again.",
        )
    }

    pub(crate) fn weak_password(weak: WeakPassword) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::WeakPassword, weak.to_string())
    }

    pub(crate) fn invalid_verification_token() -> Self {
        let text = "Invalid or expired verification token";
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidToken, text)
    }

    pub(crate) fn invalid_reset_token() -> Self {
        let text = "Invalid or expired reset token";
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidToken, text)
    }

    pub(crate) fn refresh_refused() -> Self {
        let text = "Invalid or expired refresh token";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidRefreshToken, text)
    }

    pub(crate) fn invalid_refresh_token() -> Self {
        let text = "Invalid refresh token";
        Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidRefreshToken, text)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "Not found")
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let problem = Self::new(status, ErrorCode::MethodNotAllowed, "Method not allowed");
        Self { allow: Some(allow), ..problem }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let limit = match limit {
            mib if mib % MIB == 0 => format!("{} MiB", mib / MIB),
            kib if kib % KIB == 0 => format!("{} KiB", kib / KIB),
            bytes => format!("{bytes} bytes"),
        };
        let text = format!("The request body must not be larger than {limit}");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::PayloadTooLarge, text)
    }

    pub(crate) fn head_too_large() -> Self {
        let text = "The request headers must not be larger than 32 KiB";
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::new(status, ErrorCode::BadRequest, text)
    }

    pub(crate) fn target_too_long() -> Self {
        let text = "The request target must not be longer than 8 KiB";
        Self::new(StatusCode::URI_TOO_LONG, ErrorCode::BadRequest, text)
    }

    /// A body that would have to be unpacked: RFC 9110 §8.4 asks for 415.
    pub(crate) fn encoded() -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let text = "The request body must not be compressed";
        Self::new(status, ErrorCode::UnsupportedMediaType, text)
    }

    pub(crate) fn unsupported_media_type(wanted: &'static str) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let text = format!("The request body must be {wanted}");
        Self::new(status, ErrorCode::UnsupportedMediaType, text)
    }

    pub(crate) fn timed_out() -> Self {
        let text = "The request was not sent in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::RequestTimeout, text)
    }

    pub(crate) fn unavailable() -> Self {
        let text = "Service temporarily unavailable. Please try again later.";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, ErrorCode::ServiceUnavailable, text).after(RETRY_LATER)
    }

    pub(crate) fn internal() -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, ErrorCode::InternalServerError, "Internal server error")
    }

    /// What the framework refused before any handler saw it.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(MAX_BODY),
            StatusCode::REQUEST_TIMEOUT => Self::timed_out(),
            status if status.is_client_error() => {
                Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadRequest, "Bad request")
            }
            _ => Self::internal(),
        }
    }

    fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The answer's body at that moment.
    pub(crate) fn body(&self, now: Timestamp) -> ProblemBody<'_> {
        ProblemBody { detail: &self.detail, error_code: self.code, timestamp: now.to_string() }
    }

    /// Writes the answer out.
    pub(crate) fn render(&self, now: Timestamp) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status);
        let is_challenge =
            self.status == StatusCode::UNAUTHORIZED || self.code == ErrorCode::NotAuthenticated;
        if is_challenge {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(wait) = self.retry_after {
            answer.insert_header((header::RETRY_AFTER, whole_seconds(wait)));
        }
        if let Some(allow) = &self.allow {
            answer.insert_header((header::ALLOW, allow.as_str()));
        }
        let not_worth_reading_on = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::URI_TOO_LONG,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ];
        if not_worth_reading_on.contains(&self.status) {
            // What is left of the request is not worth reading.
            answer.force_close();
        }
        answer.json(self.body(now))
    }
}

/// Rounded up, and never "at once".
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let partial = u64::from(wait.subsec_nanos() > 0);
    (wait.as_secs() + partial).max(1)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.status, self.code)
    }
}

/// The framework carries a problem to the middleware that writes it out, which
/// knows the time and the request's id.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::new(self.status);
        answer.extensions_mut().insert(self.clone());
        answer
    }
}
