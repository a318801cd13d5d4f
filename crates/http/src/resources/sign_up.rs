//! `POST /api/v1/auth/signup`: contract B's registration.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{CustomizeResponder, HttpRequest, Responder, post};
use portcullis_app::SignUp;
use portcullis_domain::{Client, Email, NamePart, Password, Username};
use portcullis_metrics::Contract;
use tracing::info;
use utoipa::ToSchema;

use super::tokens::TokenPair;
use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::{HangUp, Sender};
use crate::extract::fields::Fields;
use crate::extract::subject::Subject;
use crate::outcomes;
use crate::problem::Problem;

/// What a sign-up form says.
#[derive(ToSchema)]
#[schema(as = SignUpForm)]
#[expect(dead_code, reason = "documents what `read` reads")]
pub(crate) struct SignUpForm {
    /// The username to take; equal without regard to case.
    #[schema(min_length = 3, max_length = 50, pattern = "^[A-Za-z0-9_.-]+$", example = "johndoe")]
    username: String,
    /// The address to register.
    #[schema(format = Email, max_length = 254, example = "john@example.com")]
    email: String,
    /// The password, 8 characters at least.
    #[schema(format = Password, min_length = 8, max_length = 1024, example = "secretpassword")]
    password: String,
    /// The person's first name.
    #[schema(min_length = 1, max_length = 50, example = "John")]
    first_name: String,
    /// The person's last name.
    #[schema(min_length = 1, max_length = 50, example = "Doe")]
    last_name: String,
}

fn read(mut fields: Fields, client: Client) -> Result<SignUp, Problem> {
    let username = fields.required("username", Username::parse);
    let email = fields.required("email", Email::parse);
    let password = fields.required("password", Password::parse);
    let first_name = fields.required("first_name", NamePart::parse);
    let last_name = fields.required("last_name", NamePart::parse);
    match (username, email, password, first_name, last_name) {
        (Some(username), Some(email), Some(password), Some(first_name), Some(last_name)) => {
            Ok(SignUp { username, email, password, first_name, last_name, client })
        }
        _ => Err(fields.refusal()),
    }
}

/// Sign up with a username
///
/// Opens a session at once; a verification mail is sent as well.
#[utoipa::path(
    operation_id = "sign_up",
    tag = "Contract B: forms and username",
    request_body(content(
        (SignUpForm = "application/x-www-form-urlencoded"),
        (SignUpForm = "multipart/form-data"),
    )),
    responses((
        status = 201,
        description = "Registered and signed in",
        body = TokenPair,
        links(
            ("refresh" = (
                operation_id = "refresh",
                request_body = json!({"refresh_token": "$response.body#/refresh_token"}),
            )),
            ("log in" = (
                operation_id = "log_in",
                request_body = json!({
                    "username": "$request.body#/username",
                    "password": "$request.body#/password",
                }),
            )),
        )
    ))
)]
#[post("/api/v1/auth/signup")]
pub(crate) async fn sign_up(
    request: HttpRequest,
    api: Data<Api>,
    Sender(client): Sender,
    HangUp(hang_up): HangUp,
    body: Body,
) -> Result<CustomizeResponder<Json<TokenPair>>, Problem> {
    let sign_up = read(body.form().await?, client)?;
    let signed_up = api.app.sign_up(sign_up, hang_up).await;
    api.metrics.registrations.count((Contract::Form, outcomes::of_sign_up(&signed_up)));
    let signed_up = signed_up?;
    info!(event = "registration", outcome = "success", user = %signed_up.user.id.as_uuid());
    Subject::from(&signed_up.tokens).note(&request);
    Ok(Json(TokenPair::from(signed_up.tokens)).customize().with_status(StatusCode::CREATED))
}
