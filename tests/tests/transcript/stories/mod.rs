//! What the conversation is about: a story each, one after the other.

mod documents;
mod form_account;
mod form_login;
mod form_session;
mod json_login;
mod json_session;
mod lockout;
mod logout;
mod password_reset;
mod profile;
mod purge;
mod rate_limits;
mod registration;
mod verification;

use serde_json::json;

use crate::conversation::Conversation;
use crate::request::{Request, get, post};

/// Everybody's password.
const PASSWORD: &str = "SecurePass123!";
/// Somebody else's.
const OTHER_PASSWORD: &str = "NewSecurePass456!";

const REGISTER: &str = "/api/v1/auth/register";
const SIGN_UP: &str = "/api/v1/auth/signup";
const LOG_IN: &str = "/api/v1/auth/login";
const LOG_OUT: &str = "/api/v1/auth/logout";
const REFRESH: &str = "/api/v1/auth/refresh";
const VERIFY: &str = "/api/v1/auth/verify-email";
const RESEND: &str = "/api/v1/auth/verify-email/resend";
const ASK_RESET: &str = "/api/v1/auth/password-reset/request";
const RESET: &str = "/api/v1/auth/password-reset/confirm";
const ME: &str = "/api/v1/auth/me";
const USERS_ME: &str = "/api/v1/users/me";

/// Tells all stories.
pub(crate) async fn tell(talk: &mut Conversation) {
    documents::tell(talk).await;
    registration::tell(talk).await;
    verification::tell(talk).await;
    json_login::tell(talk).await;
    form_account::tell(talk).await;
    form_login::tell(talk).await;
    profile::tell(talk).await;
    json_session::tell(talk).await;
    form_session::tell(talk).await;
    logout::tell(talk).await;
    lockout::tell(talk).await;
    rate_limits::tell(talk).await;
    password_reset::tell(talk).await;
    purge::tell(talk).await;
    documents::probes(talk).await;
}

fn register(email: &str, name: &str) -> Request {
    post(REGISTER).json(&json!({"email": email, "name": name, "password": PASSWORD}))
}

fn sign_up(username: &str, email: &str) -> Request {
    post(SIGN_UP).form(&[
        ("username", username),
        ("email", email),
        ("password", PASSWORD),
        ("first_name", "John"),
        ("last_name", "Doe"),
    ])
}

fn log_in(email: &str, password: &str) -> Request {
    post(LOG_IN).json(&json!({"email": email, "password": password}))
}

fn log_in_by_form(username: &str, password: &str) -> Request {
    post(LOG_IN).form(&[("username", username), ("password", password)])
}

fn verify(token: &str) -> Request {
    post(VERIFY).json(&json!({"token": token}))
}

fn refresh(token: &str) -> Request {
    post(REFRESH).json(&json!({"refresh_token": token}))
}

fn log_out(access: &str, refresh: &str) -> Request {
    post(LOG_OUT).bearer(access).json(&json!({"refresh_token": refresh}))
}

fn ask_reset(email: &str) -> Request {
    post(ASK_RESET).json(&json!({"email": email}))
}

fn reset(token: &str, new_password: &str) -> Request {
    post(RESET).json(&json!({"token": token, "new_password": new_password}))
}

fn me(access: &str) -> Request {
    get(ME).bearer(access)
}

fn users_me(access: &str) -> Request {
    get(USERS_ME).bearer(access)
}

/// Registers somebody and proves the mailbox.
async fn verified(talk: &mut Conversation, email: &str, name: &str) {
    talk.say(register(email, name)).await.is(201);
    let token = talk.mailed_token().await;
    talk.say(verify(&token)).await.is(200);
    talk.mails().await;
}
