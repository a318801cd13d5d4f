//! The mail APIs of Resend and Brevo, as strict as they are published.

mod brevo;
mod resend;

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::held_port::HeldPort;
use crate::http::{Connection, Request, Response};

/// A request that was as published.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiMail {
    /// Its idempotency key.
    pub key: Option<String>,
    /// The sender, `Name <address>`.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text body.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// The names of the additional headers.
    pub headers: Vec<String>,
    /// The whole body.
    pub body: Value,
}

/// What a server says instead of taking a mail.
#[derive(Clone, Debug)]
pub enum ApiAnswer {
    /// This status, with this body and perhaps this `Retry-After`.
    Status(u16, String, Option<&'static str>),
    /// Nothing, and it keeps the connection.
    Hang,
    /// Nothing, and it closes the connection after it took the mail.
    Disconnect,
}

impl ApiAnswer {
    /// This status, with this body.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status(status, body.into(), None)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Resend,
    Brevo,
}

#[derive(Default)]
struct State {
    mails: Vec<ApiMail>,
    next: Option<ApiAnswer>,
}

/// A provider's API on a free loopback port. It refuses requests that are not
/// as the provider publishes them, field by field.
///
/// It refuses mails to `refused@…` for good and mails to `busy@…` for now, and
/// quotes those to `quoted@…` in its refusal.
pub struct MailApi {
    port: HeldPort,
    state: Arc<Mutex<State>>,
    /// Ends every connection when it is dropped.
    server: Mutex<JoinSet<()>>,
}

impl MailApi {
    /// The API key that it knows.
    pub const KEY: &str = "key_Zm9yZ2VkLWtleS1vZi10aGUtdGVzdA";

    /// Starts a Resend.
    pub async fn resend() -> Self {
        Self::start(Dialect::Resend).await
    }

    /// Starts a Brevo.
    pub async fn brevo() -> Self {
        Self::start(Dialect::Brevo).await
    }

    async fn start(dialect: Dialect) -> Self {
        let port = HeldPort::reserve();
        let listener = TcpListener::bind(port.address()).await.expect("the port is held");
        let state = Arc::default();
        let mut server = JoinSet::new();
        server.spawn(accept(listener, dialect, Arc::clone(&state)));
        Self { port, state, server: Mutex::new(server) }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// The mails that were sent to it, in order; what was sent twice, twice.
    #[must_use]
    pub fn mails(&self) -> Vec<ApiMail> {
        lock(&self.state).mails.clone()
    }

    /// Answers so from now on, to requests that are as published.
    pub fn answer(&self, answer: ApiAnswer) {
        lock(&self.state).next = Some(answer);
    }

    /// Takes mails again.
    pub fn accept(&self) {
        lock(&self.state).next = None;
    }

    /// Stops listening and closes every connection.
    pub async fn vanish(&self) {
        let mut server = std::mem::take(&mut *lock(&self.server));
        server.shutdown().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, dialect: Dialect, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, dialect, Arc::clone(&state)));
    }
}

/// Answers until the client leaves.
async fn serve(stream: TcpStream, dialect: Dialect, state: Arc<Mutex<State>>) {
    let mut connection = Connection::new(stream);
    while let Ok(request) = connection.request().await {
        let answer = respond(dialect, &request, &mut lock(&state));
        let response = match answer {
            ApiAnswer::Status(status, body, retry_after) => {
                let retry = retry_after.map(|value| ("retry-after".into(), value.into()));
                let json = ("content-type".into(), "application/json".into());
                Response { status, headers: retry.into_iter().chain([json]).collect(), body }
            }
            ApiAnswer::Hang => pending().await,
            ApiAnswer::Disconnect => return,
        };
        if connection.respond(&response).await.is_err() {
            return;
        }
    }
}

impl Dialect {
    fn path(self) -> &'static str {
        match self {
            Self::Resend => "/emails",
            Self::Brevo => "/v3/smtp/email",
        }
    }

    fn has_key(self, request: &Request) -> bool {
        let bearer = format!("Bearer {}", MailApi::KEY);
        match self {
            Self::Resend => request.header("authorization") == Some(&bearer),
            Self::Brevo => request.header("api-key") == Some(MailApi::KEY),
        }
    }

    fn read(self, request: &Request) -> Result<ApiMail, String> {
        match self {
            Self::Resend => resend::read(request),
            Self::Brevo => brevo::read(request),
        }
    }

    fn failure(self, status: u16, code: &str, message: &str) -> ApiAnswer {
        let body = match self {
            Self::Resend => json!({"statusCode": status, "name": code, "message": message}),
            Self::Brevo => json!({"code": code, "message": message}),
        };
        ApiAnswer::status(status, &body.to_string())
    }

    /// What a mail is answered with whose key was there before.
    fn duplicate(self, first: &ApiMail, mail: &ApiMail, number: usize) -> ApiAnswer {
        match self {
            Self::Resend if first.body == mail.body => self.taken(number),
            Self::Resend => self.failure(409, "invalid_idempotent_request", "The payload differs."),
            Self::Brevo => self.failure(400, "duplicate_parameter", "The key was used."),
        }
    }

    fn taken(self, number: usize) -> ApiAnswer {
        match self {
            Self::Resend => {
                ApiAnswer::status(200, &json!({"id": format!("re-{number}")}).to_string())
            }
            Self::Brevo => {
                let id = format!("<{number}@smtp-relay.example>");
                ApiAnswer::status(201, &json!({ "messageId": id }).to_string())
            }
        }
    }
}

fn respond(dialect: Dialect, request: &Request, state: &mut State) -> ApiAnswer {
    if request.method != "POST" || request.path != dialect.path() {
        return dialect.failure(404, "not_found", "There is no such method or path.");
    }
    if !dialect.has_key(request) {
        return dialect.failure(401, "unauthorized", "That is no API key.");
    }
    if request.header("content-type") != Some("application/json") {
        return dialect.failure(415, "unsupported", "The body is no JSON.");
    }
    if request.header("user-agent").is_none_or(str::is_empty) {
        return dialect.failure(403, "forbidden", "There is no user agent.");
    }
    let mail = match dialect.read(request) {
        Ok(mail) => mail,
        Err(fault) => return dialect.failure(422, "validation_error", &fault),
    };
    match mail.to.last().and_then(|to| to.split_once('@')).map(|(local, _)| local) {
        Some("refused") => return dialect.failure(422, "validation_error", "No such recipient."),
        Some("busy") => {
            let ApiAnswer::Status(status, body, _) =
                dialect.failure(429, "rate_limit_exceeded", "Slowly.")
            else {
                unreachable!("a failure has a status")
            };
            return ApiAnswer::Status(status, body, Some("7"));
        }
        Some("quoted") => {
            let quoted = format!("{} by {}", mail.body, MailApi::KEY);
            return dialect.failure(400, "validation_error", &quoted);
        }
        _ => {}
    }
    if let Some(answer @ (ApiAnswer::Status(..) | ApiAnswer::Hang)) = &state.next {
        return answer.clone();
    }
    let same = |first: &&ApiMail| first.key.is_some() && first.key == mail.key;
    let number = state.mails.len() + 1;
    let answer = match state.mails.iter().find(same) {
        Some(first) => dialect.duplicate(first, &mail, number),
        None => dialect.taken(number),
    };
    state.mails.push(mail);
    state.next.clone().unwrap_or(answer)
}
