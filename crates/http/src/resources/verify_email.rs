//! `/api/v1/auth/verify-email`: proving a mailbox.

use actix_web::web::{Data, Json, Path};
use actix_web::{Either, HttpRequest, HttpResponse, get, post};
use portcullis_domain::{Client, Email, User};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::Message;
use super::profile::UserResponse;
use crate::Api;
use crate::extract::accept::prefers_html;
use crate::extract::body::Body;
use crate::extract::client::Sender;
use crate::extract::fields::text;
use crate::outcomes;
use crate::pages;
use crate::problem::Problem;

/// A verification token.
#[derive(ToSchema)]
#[schema(as = VerificationRequest)]
#[expect(dead_code, reason = "documents what `verify_by_post` reads")]
pub(crate) struct VerificationRequest {
    /// The token of the mail.
    #[schema(example = "q2wN7V0c0o0m8k…")]
    token: String,
}

/// Who wants another mail.
#[derive(ToSchema)]
#[schema(as = ResendRequest)]
#[expect(dead_code, reason = "documents what `resend` reads")]
pub(crate) struct ResendRequest {
    /// The address that was registered.
    #[schema(format = Email, max_length = 254, example = "john.doe@example.com")]
    email: String,
}

/// The mailbox is proven.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerificationResponse {
    /// What happened.
    #[schema(example = "Email verified successfully")]
    message: &'static str,
    /// The account.
    user: UserResponse,
}

impl From<&User> for VerificationResponse {
    fn from(user: &User) -> Self {
        Self { message: "Email verified successfully", user: user.into() }
    }
}

/// Verify an address by its link
///
/// Spends the token, which works once. A browser gets a page with a button
/// instead, since mail scanners open links too; the button posts the token.
#[utoipa::path(
    operation_id = "verify_email_by_link",
    tag = "Contract A: JSON and e-mail",
    params(("token" = String, Path, description = "The token of the mail")),
    responses((status = 200, description = "Verified", body = VerificationResponse))
)]
#[get("/api/v1/auth/verify-email/{token}")]
pub(crate) async fn verify_by_link(
    api: Data<Api>,
    request: HttpRequest,
    Sender(client): Sender,
    token: Path<String>,
) -> Result<Either<Json<VerificationResponse>, HttpResponse>, Problem> {
    if prefers_html(&request) {
        return Ok(Either::Right(pages::verify_email(&token)?));
    }
    Ok(Either::Left(Json(verify(&api, &token, &client).await?)))
}

async fn verify(api: &Api, token: &str, client: &Client) -> Result<VerificationResponse, Problem> {
    let verified = api.app.verify_email(token, client).await;
    api.metrics.verifications.count((outcomes::of_verification(&verified),));
    let user = verified?;
    info!(event = "email_verified", user = %user.id.as_uuid());
    Ok((&user).into())
}

/// Verify an address by its token
#[utoipa::path(
    operation_id = "verify_email",
    tag = "Contract A: JSON and e-mail",
    request_body(content = VerificationRequest, content_type = "application/json"),
    responses((status = 200, description = "Verified", body = VerificationResponse))
)]
#[post("/api/v1/auth/verify-email")]
pub(crate) async fn verify_by_post(
    api: Data<Api>,
    Sender(client): Sender,
    body: Body,
) -> Result<Json<VerificationResponse>, Problem> {
    let mut fields = body.json()?;
    let token = fields.required("token", text).ok_or_else(|| fields.refusal())?;
    Ok(Json(verify(&api, &token, &client).await?))
}

/// Ask for another verification mail
///
/// The answer is the same whether or not an account waits for one.
#[utoipa::path(
    operation_id = "resend_verification",
    tag = "Contract A: JSON and e-mail",
    request_body(content = ResendRequest, content_type = "application/json"),
    responses((
        status = 200,
        description = "Taken note of",
        body = Message,
        example = json!({
            "message": "If an unverified account exists, a verification email has been sent."
        })
    ))
)]
#[post("/api/v1/auth/verify-email/resend")]
pub(crate) async fn resend(
    api: Data<Api>,
    Sender(client): Sender,
    body: Body,
) -> Result<Json<Message>, Problem> {
    let mut fields = body.json()?;
    let email = fields.required("email", Email::parse).ok_or_else(|| fields.refusal())?;
    let owed = api.app.resend_verification(email, &client).await;
    api.metrics.verifications.count((outcomes::of_resend(&owed),));
    owed?;
    let message = "If an unverified account exists, a verification email has been sent.";
    Ok(Json(Message { message }))
}
