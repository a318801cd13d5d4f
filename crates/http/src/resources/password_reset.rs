//! `/api/v1/auth/password-reset`: choosing a new password by mail.

use actix_web::post;
use actix_web::web::{Data, Json};
use portcullis_domain::{Email, Password};
use tracing::info;
use utoipa::ToSchema;

use super::Message;
use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::{HangUp, Sender};
use crate::extract::fields::text;
use crate::outcomes;
use crate::problem::Problem;

/// Who forgot the password.
#[derive(ToSchema)]
#[schema(as = PasswordResetRequest)]
#[expect(dead_code, reason = "documents what `request` reads")]
pub(crate) struct PasswordResetRequest {
    /// The account's address.
    #[schema(format = Email, max_length = 254, example = "john.doe@example.com")]
    email: String,
}

/// The new password.
#[derive(ToSchema)]
#[schema(as = PasswordResetConfirmation)]
#[expect(dead_code, reason = "documents what `confirm` reads")]
pub(crate) struct PasswordResetConfirmation {
    /// The token of the mail.
    #[schema(example = "q2wN7V0c0o0m8k…")]
    token: String,
    /// The new password, 8 characters at least.
    #[schema(format = Password, min_length = 8, max_length = 1024, example = "NewSecurePass456!")]
    new_password: String,
}

/// Ask for a password reset
///
/// The answer is the same whether or not there is such an account.
#[utoipa::path(
    operation_id = "request_password_reset",
    tag = "Contract A: JSON and e-mail",
    request_body(content = PasswordResetRequest, content_type = "application/json"),
    responses((
        status = 200,
        description = "Taken note of",
        body = Message,
        example = json!({
            "message": "If an account exists, a password reset email has been sent."
        })
    ))
)]
#[post("/api/v1/auth/password-reset/request")]
pub(crate) async fn request(
    api: Data<Api>,
    Sender(client): Sender,
    body: Body,
) -> Result<Json<Message>, Problem> {
    let mut fields = body.json()?;
    let email = fields.required("email", Email::parse).ok_or_else(|| fields.refusal())?;
    let owed = api.app.request_password_reset(email, &client).await;
    api.metrics.resets.count((outcomes::of_reset_request(&owed),));
    owed?;
    let message = "If an account exists, a password reset email has been sent.";
    Ok(Json(Message { message }))
}

/// Choose a new password
///
/// Spends the token, ends all sessions, lifts locks, and counts the address as
/// verified. A password that is refused does not spend the token.
#[utoipa::path(
    operation_id = "confirm_password_reset",
    tag = "Contract A: JSON and e-mail",
    request_body(content = PasswordResetConfirmation, content_type = "application/json"),
    responses((
        status = 200,
        description = "Changed",
        body = Message,
        example = json!({
            "message": "Password reset successfully. Please login with your new password."
        })
    ))
)]
#[post("/api/v1/auth/password-reset/confirm")]
pub(crate) async fn confirm(
    api: Data<Api>,
    Sender(client): Sender,
    HangUp(hang_up): HangUp,
    body: Body,
) -> Result<Json<Message>, Problem> {
    let mut fields = body.json()?;
    let token = fields.required("token", text);
    let new_password = fields.required("new_password", Password::parse);
    let (Some(token), Some(new_password)) = (token, new_password) else {
        return Err(fields.refusal());
    };
    let reset = api.app.confirm_password_reset(&token, new_password, &client, hang_up).await;
    api.metrics.resets.count((outcomes::of_reset(&reset),));
    let user = reset?;
    info!(event = "password_reset", user = %user.as_uuid());
    let message = "Password reset successfully. Please login with your new password.";
    Ok(Json(Message { message }))
}
