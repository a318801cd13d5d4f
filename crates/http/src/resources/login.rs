//! `POST /api/v1/auth/login`: by e-mail (JSON) or by username (form).

use actix_web::web::{Data, Json};
use actix_web::{Either, HttpRequest, post};
use portcullis_app::{Failure, LoggedIn, LoginRefused};
use portcullis_domain::error::with_causes;
use portcullis_domain::{Client, Contract, Email, LoginIdentifier, Password};
use portcullis_metrics::{LoginOutcome, LoginWay};
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use super::profile::UserResponse;
use super::tokens::TokenPair;
use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::{HangUp, Sender};
use crate::extract::fields::{Fields, NotPassword, text};
use crate::extract::subject::Subject;
use crate::outcomes;
use crate::problem::Problem;

/// Contract A's credentials.
#[derive(ToSchema)]
#[schema(as = LoginRequest)]
#[expect(dead_code, reason = "documents what `by_email` reads")]
pub(crate) struct LoginRequest {
    /// The verified address.
    #[schema(format = Email, max_length = 254, example = "john.doe@example.com")]
    email: String,
    /// The password.
    #[schema(format = Password, max_length = 1024, example = "SecurePass123!")]
    password: String,
}

/// Contract B's credentials: the `OAuth2` password form (RFC 6749 §4.3.2).
#[derive(ToSchema)]
#[schema(as = LoginForm)]
#[expect(dead_code, reason = "documents what `by_username` reads")]
pub(crate) struct LoginForm {
    /// Absent, empty, or `password`.
    #[schema(pattern = "^(password)?$", example = "password")]
    grant_type: Option<String>,
    /// The username, or the verified address.
    #[schema(min_length = 1, example = "johndoe")]
    username: String,
    /// The password.
    #[schema(format = Password, min_length = 1, max_length = 1024, example = "secretpassword")]
    password: String,
    /// Tolerated and ignored.
    scope: Option<String>,
    /// Tolerated and ignored.
    client_id: Option<String>,
    /// Tolerated and ignored.
    client_secret: Option<String>,
}

/// What contract A's login answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoginResponse {
    #[serde(flatten)]
    tokens: TokenPair,
    /// Who logged in.
    user: UserResponse,
}

impl From<LoggedIn> for LoginResponse {
    fn from(logged_in: LoggedIn) -> Self {
        Self { user: (&logged_in.user).into(), tokens: logged_in.tokens.into() }
    }
}

/// Either contract's answer.
#[derive(ToSchema)]
#[schema(as = LoginAnswer)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents both answers of one route")]
pub(crate) enum LoginAnswer {
    /// To JSON.
    Json(LoginResponse),
    /// To a form.
    Form(TokenPair),
}

/// Log in
///
/// The media type decides: JSON is contract A (e-mail, 30 minutes, rotating
/// refresh token), a form is contract B (username or e-mail, one hour, refresh
/// token that stays). After too many failures further attempts are refused for
/// a while, also with the right password.
#[utoipa::path(
    operation_id = "log_in",
    tag = "Both contracts",
    request_body(content(
        (LoginRequest = "application/json"),
        (LoginForm = "application/x-www-form-urlencoded"),
        (LoginForm = "multipart/form-data"),
    )),
    responses((
        status = 200,
        description = "Logged in",
        body = LoginAnswer,
        links(("refresh" = (
            operation_id = "refresh",
            request_body = json!({"refresh_token": "$response.body#/refresh_token"}),
        )))
    ))
)]
#[post("/api/v1/auth/login")]
pub(crate) async fn log_in(
    request: HttpRequest,
    api: Data<Api>,
    Sender(client): Sender,
    hang_up: HangUp,
    body: Body,
) -> Result<Either<Json<LoginResponse>, Json<TokenPair>>, Problem> {
    let is_form = body.is_form();
    let logged_in = if is_form {
        by_username(api, body.form().await?, client, hang_up).await?
    } else {
        by_email(api, body.json()?, client, hang_up).await?
    };
    Subject::from(&logged_in.tokens).note(&request);
    Ok(if is_form {
        Either::Right(Json(logged_in.tokens.into()))
    } else {
        Either::Left(Json(logged_in.into()))
    })
}

async fn by_email(
    api: Data<Api>,
    mut fields: Fields,
    client: Client,
    hang_up: HangUp,
) -> Result<LoggedIn, Problem> {
    let email = fields.required("email", Email::parse);
    let password = fields.required("password", Password::parse);
    let (Some(email), Some(password)) = (email, password) else { return Err(fields.refusal()) };
    log_in_with(api, email.into(), password, Contract::Json, client, hang_up).await
}

async fn by_username(
    api: Data<Api>,
    mut fields: Fields,
    client: Client,
    hang_up: HangUp,
) -> Result<LoggedIn, Problem> {
    let is_password = |text: &str| if text == "password" { Ok(()) } else { Err(NotPassword) };
    fields.optional("grant_type", is_password);
    let username = fields.required("username", text);
    let password = fields.required("password", Password::parse);
    fields.check()?;
    let (Some(username), Some(password)) = (username, password) else {
        return Err(fields.refusal());
    };
    // What nobody can be called is nobody; saying so tells nothing.
    let Some(identifier) = LoginIdentifier::parse(&username) else {
        api.metrics.logins.count((LoginWay::Form, LoginOutcome::BadCredentials));
        return Err(Problem::invalid_credentials(Contract::Form));
    };
    log_in_with(api, identifier, password, Contract::Form, client, hang_up).await
}

fn outcome(refused: &LoginRefused) -> &'static str {
    match refused {
        LoginRefused::InvalidCredentials { .. } => "failure",
        LoginRefused::EmailNotVerified => "not verified",
        LoginRefused::Locked { .. } => "locked",
        LoginRefused::Failure(_) => "not carried out",
    }
}

/// A login stands although nobody is told of it.
pub(crate) fn warn_of(unannounced: Option<&Failure>) {
    if let Some(failure) = unannounced {
        warn!(cause = with_causes(failure), "no device is told of a sign-in");
    }
}

/// A password that still waits to be checked when the client hangs up is given up.
async fn log_in_with(
    api: Data<Api>,
    identifier: LoginIdentifier,
    password: Password,
    contract: Contract,
    client: Client,
    HangUp(hang_up): HangUp,
) -> Result<LoggedIn, Problem> {
    let who = api.app.pseudonym(&identifier);
    let finished = api.app.log_in(identifier, password, contract, client, hang_up).await;
    api.metrics.logins.count((outcomes::way_of(contract), outcomes::of_login(&finished)));
    if outcomes::is_lockout(&finished) {
        api.metrics.lockouts.count(());
    }
    match &finished {
        Ok(logged_in) => {
            let user = logged_in.user.id.as_uuid();
            info!(event = "login", outcome = "success", %user, who);
            warn_of(logged_in.unannounced.as_ref());
        }
        Err(refused) => info!(event = "login", outcome = outcome(refused), who),
    }
    finished.map_err(|refused| Problem::of_login(refused, contract))
}
