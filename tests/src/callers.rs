//! Who speaks to the server. The kind of caller is a type: only [`LoggedIn`]
//! has tokens.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};

use crate::{Answer, NAME, PASSWORD, Server};

/// Somebody without tokens.
#[derive(Clone, Debug)]
pub struct Anonymous {
    http: Client,
    url: String,
}

impl Anonymous {
    pub(crate) fn at(url: String) -> Self {
        // A connection of its own for each request: none outlives a server
        // that is killed and started again.
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self { http, url }
    }

    /// A request that is still to be filled and sent with [`Answer::to`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// GET, if the server is there at all.
    pub async fn if_any(&self, path: &str) -> Result<Answer, reqwest::Error> {
        Answer::if_any(self.request(Method::GET, path)).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// GET of a page, as a browser asks for it.
    pub async fn browse(&self, path: &str) -> Answer {
        let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        Answer::to(self.request(Method::GET, path).header("accept", accept)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body)).await
    }

    /// POST of a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::to(self.request(Method::POST, path).form(fields)).await
    }

    /// POST of bytes as they are; the media type is left out if it is empty.
    pub async fn post_bytes(&self, path: &str, media_type: &str, body: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, path).body(body);
        if media_type.is_empty() {
            Answer::to(request).await
        } else {
            Answer::to(request.header("content-type", media_type)).await
        }
    }

    /// Registers by contract A.
    pub async fn register(&self, email: &str) -> Answer {
        self.register_with(email, PASSWORD).await
    }

    /// Registers by contract A with a password.
    pub async fn register_with(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "name": NAME, "password": password});
        self.post("/api/v1/auth/register", &body).await
    }

    /// Signs up by contract B, as John Doe.
    pub async fn sign_up(&self, username: &str, email: &str) -> Answer {
        let fields = [
            ("username", username),
            ("email", email),
            ("password", PASSWORD),
            ("first_name", "John"),
            ("last_name", "Doe"),
        ];
        self.post_form("/api/v1/auth/signup", &fields).await
    }

    /// Proves a mailbox by contract A's POST.
    pub async fn verify(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/verify-email", &json!({"token": token})).await
    }

    /// Logs in by contract A.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.post("/api/v1/auth/login", &body).await
    }

    /// Logs in by contract B.
    pub async fn log_in_by_form(&self, username: &str, password: &str) -> Answer {
        let fields = [("username", username), ("password", password)];
        self.post_form("/api/v1/auth/login", &fields).await
    }

    /// Presents a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/api/v1/auth/refresh", &json!({"refresh_token": token})).await
    }

    /// Asks for a reset mail.
    pub async fn request_reset(&self, email: &str) -> Answer {
        self.post("/api/v1/auth/password-reset/request", &json!({"email": email})).await
    }

    /// Chooses a new password with a reset token.
    pub async fn confirm_reset(&self, token: &str, password: &str) -> Answer {
        let body = json!({"token": token, "new_password": password});
        self.post("/api/v1/auth/password-reset/confirm", &body).await
    }

    /// Takes the tokens of an answer that gave some.
    #[must_use]
    #[track_caller]
    pub fn with_tokens_of(&self, answer: &Answer) -> LoggedIn {
        LoggedIn {
            access: answer.str("/access_token").to_owned(),
            refresh: answer.str("/refresh_token").to_owned(),
            caller: self.clone(),
        }
    }
}

/// Somebody with the tokens of a session.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    caller: Anonymous,
}

impl LoggedIn {
    /// The same person, saying nothing about who they are.
    #[must_use]
    pub fn anonymous(&self) -> &Anonymous {
        &self.caller
    }

    /// The same session, brought to another instance.
    #[must_use]
    pub fn at(&self, instance: &Server) -> Self {
        Self { caller: instance.anonymous(), ..self.clone() }
    }

    /// A request with the access token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.caller.request(method, path).bearer_auth(&self.access)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// The profile by contract A.
    pub async fn me(&self) -> Answer {
        self.get("/api/v1/auth/me").await
    }

    /// The profile by contract B.
    pub async fn users_me(&self) -> Answer {
        self.get("/api/v1/users/me").await
    }

    /// Changes the profile.
    pub async fn patch_me(&self, body: &Value) -> Answer {
        Answer::to(self.request(Method::PATCH, "/api/v1/auth/me").json(body)).await
    }

    /// Refreshes and insists that it works.
    pub async fn refreshed(&self) -> Self {
        let answer = self.caller.refresh(&self.refresh).await.expect(200);
        self.caller.with_tokens_of(&answer)
    }

    /// Logs out by contract A, with some refresh token.
    pub async fn log_out_with(&self, refresh: &str) -> Answer {
        let body = json!({"refresh_token": refresh});
        Answer::to(self.request(Method::POST, "/api/v1/auth/logout").json(&body)).await
    }

    /// Logs out by contract A.
    pub async fn log_out(&self) -> Answer {
        self.log_out_with(&self.refresh).await
    }

    /// Logs out by contract B: without a body.
    pub async fn log_out_without_body(&self) -> Answer {
        Answer::to(self.request(Method::POST, "/api/v1/auth/logout")).await
    }

    /// Insists that the session lives: both tokens are good.
    pub async fn is_alive(&self) {
        self.me().await.is(200);
        self.caller.refresh(&self.refresh).await.is(200);
    }

    /// Insists that the session is over: both tokens are dead.
    pub async fn is_over(&self) {
        self.me().await.is_unauthorized();
        self.users_me().await.is_problem(crate::problem::REVOKED);
        self.caller.refresh(&self.refresh).await.is_problem(crate::problem::BAD_REFRESH);
    }
}
