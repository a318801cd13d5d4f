//! `POST /api/v1/auth/firebase`: by the word of Firebase Authentication.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, post};
use portcullis_app::IdentityRefused;
use portcullis_metrics::LoginWay;
use secrecy::SecretString;
use tracing::info;
use utoipa::ToSchema;

use super::login::{LoginResponse, warn_of};
use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::Sender;
use crate::extract::fields::text;
use crate::extract::subject::Subject;
use crate::outcomes;
use crate::problem::Problem;

/// What an app has after it signed somebody in with Firebase.
#[derive(ToSchema)]
#[schema(as = FirebaseLoginRequest)]
#[expect(dead_code, reason = "documents what `log_in` reads")]
pub(crate) struct FirebaseLoginRequest {
    /// The ID token of the Firebase user.
    #[schema(example = "eyJhbGciOiJSUzI1NiIsImtpZCI6…")]
    id_token: String,
}

fn outcome(refused: &IdentityRefused) -> &'static str {
    match refused {
        IdentityRefused::NotOffered(_) | IdentityRefused::Failure(_) => "not carried out",
        IdentityRefused::InvalidToken => "invalid token",
        IdentityRefused::Revoked => "revoked",
        IdentityRefused::Inactive => "inactive",
        IdentityRefused::EmailNotVerified | IdentityRefused::AccountNotVerified => "not verified",
    }
}

/// Log in with a Firebase ID token
///
/// Whoever came this way before gets their account. Somebody new is linked to
/// the account of their e-mail address if both Firebase and this service have
/// verified it, and gets an account without a password if there is none. An
/// account whose address is not verified is never taken over: verify it, or
/// reset its password, first.
///
/// Exists where `FIREBASE_LOGIN` is on.
#[utoipa::path(
    operation_id = "log_in_with_firebase",
    tag = "Contract A: JSON and e-mail",
    request_body(content = FirebaseLoginRequest, content_type = "application/json"),
    responses((status = 200, description = "Logged in", body = LoginResponse))
)]
#[post("/api/v1/auth/firebase")]
pub(crate) async fn log_in(
    request: HttpRequest,
    api: Data<Api>,
    Sender(client): Sender,
    body: Body,
) -> Result<Json<LoginResponse>, Problem> {
    let mut fields = body.json()?;
    let token = fields.required("id_token", text).ok_or_else(|| fields.refusal())?;
    let finished = api.app.log_in_with_identity(SecretString::from(token), client).await;
    api.metrics.logins.count((LoginWay::Firebase, outcomes::of_identity(&finished)));
    match &finished {
        Ok(logged_in) => {
            Subject::from(&logged_in.tokens).note(&request);
            let user = logged_in.user.id.as_uuid();
            info!(event = "login", method = "firebase", outcome = "success", %user);
            warn_of(logged_in.unannounced.as_ref());
        }
        Err(refused) => {
            info!(event = "login", method = "firebase", outcome = outcome(refused));
        }
    }
    Ok(Json(finished?.into()))
}
