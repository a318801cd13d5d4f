//! `POST /api/v1/auth/register`: contract A's registration.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{CustomizeResponder, Responder, post};
use portcullis_app::{Registered, Registration};
use portcullis_domain::{Client, Email, FullName, Password};
use portcullis_metrics::Contract;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::{HangUp, Sender};
use crate::extract::fields::Fields;
use crate::outcomes;
use crate::problem::Problem;

/// What a registration says.
#[derive(ToSchema)]
#[schema(as = RegisterRequest)]
#[expect(dead_code, reason = "documents what `read` reads")]
pub(crate) struct RegisterRequest {
    /// The address to register.
    #[schema(format = Email, max_length = 254, example = "john.doe@example.com")]
    email: String,
    /// The person's whole name.
    #[schema(min_length = 1, max_length = 255, example = "John Doe")]
    name: String,
    /// The password, 8 characters at least.
    #[schema(format = Password, min_length = 8, max_length = 1024, example = "SecurePass123!")]
    password: String,
}

fn read(mut fields: Fields, client: Client) -> Result<Registration, Problem> {
    let email = fields.required("email", Email::parse);
    let name = fields.required("name", FullName::parse);
    let password = fields.required("password", Password::parse);
    match (email, name, password) {
        (Some(email), Some(name), Some(password)) => {
            Ok(Registration { email, name, password, client })
        }
        _ => Err(fields.refusal()),
    }
}

/// The new account. It can log in once its address is verified.
#[derive(Serialize, ToSchema)]
pub(crate) struct RegisterResponse {
    /// The account's id.
    id: Uuid,
    /// Its address, in canonical spelling.
    #[schema(example = "john.doe@example.com")]
    email: String,
    /// Its name.
    #[schema(example = "John Doe")]
    name: String,
    /// Always false: the mail is on its way.
    #[schema(example = false)]
    email_verified: bool,
    /// When it was registered.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    created_at: String,
    /// What to do next.
    #[schema(example = "Registration successful. Please check your email to verify your account.")]
    message: &'static str,
}

impl From<Registered> for RegisterResponse {
    fn from(registered: Registered) -> Self {
        Self {
            id: registered.id.as_uuid(),
            email: registered.email.to_string(),
            name: registered.name.as_str().to_owned(),
            email_verified: false,
            created_at: registered.created_at.to_string(),
            message: "Registration successful. Please check your email to verify your account.",
        }
    }
}

/// Register with e-mail and password
///
/// Sends a verification mail; the account can log in once the link in it has
/// been opened. With `REGISTRATION_DISCLOSURE=hide` a taken address gets the
/// same answer as a new one.
#[utoipa::path(
    operation_id = "register",
    tag = "Contract A: JSON and e-mail",
    request_body(content = RegisterRequest, content_type = "application/json"),
    responses((
        status = 201,
        description = "Registered",
        body = RegisterResponse,
        links(
            ("ask for another mail" = (
                operation_id = "resend_verification",
                request_body = json!({"email": "$request.body#/email"}),
            )),
            ("log in" = (
                operation_id = "log_in",
                request_body = json!({
                    "email": "$request.body#/email",
                    "password": "$request.body#/password",
                }),
            )),
        )
    ))
)]
#[post("/api/v1/auth/register")]
pub(crate) async fn register(
    api: Data<Api>,
    Sender(client): Sender,
    HangUp(hang_up): HangUp,
    body: Body,
) -> Result<CustomizeResponder<Json<RegisterResponse>>, Problem> {
    let registration = read(body.json()?, client)?;
    let registered = api.app.register(registration, hang_up).await;
    let outcome = outcomes::of_registration(&registered);
    api.metrics.registrations.count((Contract::Json, outcome));
    let registered = registered?;
    if registered.is_new {
        info!(event = "registration", outcome = "success", user = %registered.id.as_uuid());
    } else {
        info!(event = "registration", outcome = "taken");
    }
    Ok(Json(RegisterResponse::from(registered)).customize().with_status(StatusCode::CREATED))
}
