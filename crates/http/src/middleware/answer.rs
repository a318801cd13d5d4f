//! The outermost layer: request id, one log line, problems written out, what every
//! answer carries, and an end to panics.

use std::rc::Rc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Cancellation;
use tracing::field::Empty;
use tracing::{Instrument, Span, error, error_span, info};

use super::{deprecation, routed_path, security_headers};
use crate::extract::client::source_of;
use crate::extract::subject::Subject;
use crate::problem::Problem;
use crate::traces::{Asked, Outcome};
use crate::{Api, CorsOrigins, Exchange};

/// The target of the line that each request writes when it is answered.
pub const ANSWERED: &str = module_path!();

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is kept (contract §7).
const MAX_ID: usize = 128;

/// Longest request target: what nginx and Apache take by default.
const MAX_TARGET: usize = 8 * 1024;

/// Largest head: what nginx takes by default (4 buffers of 8 KiB). The framework
/// itself stops at 96 headers (431) and at 128 KiB before it parses (431).
const MAX_HEAD: usize = 32 * 1024;

/// How the route of a request that no pattern fits is called.
const UNMATCHED: &str = "unmatched";

/// Gives the request an id, and whatever comes back its final form.
pub(crate) async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let _on_connection = request.request().conn_data::<Exchange>().map(|exchange| {
        exchange.announce(announced_length(&request));
        exchange.begin()
    });
    let begun = Rc::new(Begun::of(&request, &api));
    let Begun { id, client, pattern, .. } = &*begun;
    let watch = Watch::over(&request);
    // On its own, to its last line in the log: the framework drops what it waits for
    // when the client hangs up, and a statement that is dropped half-way costs its
    // connection.
    let span = error_span!("request", request_id = %id, %client, otel.kind = Empty);
    let trace = trace_of(&api, &span, &request, pattern.as_deref());
    let handled = handle(request, next, api.clone(), Rc::clone(&begun), trace);
    let handled = actix_web::rt::spawn(handled.instrument(span.clone())).await;
    drop(watch);
    handled.unwrap_or_else(|_| {
        if let Some(traces) = &api.traces {
            traces.end(&span, &Outcome { status: 500, subject: None });
        }
        error!(request_id = %id, %client, status = 500, "a handler panicked");
        Err(after_panic(&api, &begun))
    })
}

/// What is known of a request before it is handled.
struct Begun {
    id: String,
    /// The client's address, as it is logged.
    client: String,
    /// The path by which it is routed. Never logged: it may hold a token.
    path: String,
    /// The pattern that its path is routed by, if there is one.
    pattern: Option<String>,
}

impl Begun {
    fn of(request: &ServiceRequest, api: &Api) -> Self {
        Self {
            id: request_id(request).unwrap_or_else(|| api.app.new_request_id()),
            client: source_of(request.request()).to_string(),
            path: routed_path(request).to_owned(),
            pattern: request.match_pattern(),
        }
    }
}

/// Tells whoever follows requests of this one.
fn trace_of(
    api: &Api,
    span: &Span,
    request: &ServiceRequest,
    pattern: Option<&str>,
) -> Option<String> {
    let headers = |name: &str| request.headers().get(name)?.to_str().ok();
    let asked = Asked { method: request.method().as_str(), route: pattern, headers: &headers };
    api.traces.as_ref()?.begin(span, &asked)
}

async fn handle(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    api: web::Data<Api>,
    begun: Rc<Begun>,
    trace: Option<String>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let _on_server = api.traffic.request();
    let mut measured = Measured::begin(&api, &begun, request.method());

    // What handlers and inner layers refuse comes back as an answer, too.
    let answered = match head_refused(&request) {
        Some(problem) => request.into_response(problem.error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let (mut response, problem) = write_out(answered, &api);
    finish(response.response_mut(), &api, &begun);

    let status = response.status().as_u16();
    measured.status = status;
    let Begun { id, client, pattern, .. } = &*begun;
    let Measured { method, started, .. } = &measured;
    let route = pattern.as_deref().unwrap_or(UNMATCHED);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let code = problem.as_ref().map(|problem| tracing::field::debug(problem.code));
    if let Some(cause) = problem.and_then(|problem| problem.cause) {
        let cause = with_causes(&*cause);
        error!(request_id = %id, %client, %method, route, status, cause, "a request failed");
    }
    let subject = Subject::of(response.request());
    if let Some(traces) = &api.traces {
        traces.end(&Span::current(), &Outcome { status, subject });
    }
    let user = subject.map(|subject| tracing::field::display(subject.user.as_uuid()));
    let session = subject.map(|subject| tracing::field::display(subject.session.as_uuid()));
    info!(
        request_id = %id, trace_id = trace, %client, user, session, %method, route, status, code, micros,
        "answered"
    );
    Ok(response)
}

/// Counts a request when it ends: one whose handler panics, too.
struct Measured {
    api: web::Data<Api>,
    begun: Rc<Begun>,
    method: Method,
    started: Instant,
    /// What it is answered; a defect of ours until that is known.
    status: u16,
}

impl Measured {
    fn begin(api: &web::Data<Api>, begun: &Rc<Begun>, method: &Method) -> Self {
        let (api, begun, method) = (api.clone(), Rc::clone(begun), method.clone());
        Self { api, begun, method, started: Instant::now(), status: 500 }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let (pattern, method) = (self.begun.pattern.as_deref(), self.method.as_str());
        self.api.requests.answered(pattern, method, self.status, self.started.elapsed());
    }
}

/// What every answer carries, whatever became of the request.
fn finish(answer: &mut HttpResponse, api: &Api, begun: &Begun) {
    let Begun { id, path, .. } = begun;
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    security_headers::add(answer.headers_mut(), path, api.settings.is_https);
    if let Some(end) = &api.settings.deprecation {
        deprecation::announce(answer.headers_mut(), path, end);
    }
    if api.traffic.is_leaving() {
        answer.head_mut().set_connection_type(ConnectionType::Close);
    }
    // What the CORS layer refuses or never sees depends on the origin too.
    let has_list = matches!(api.settings.cors, CorsOrigins::Listed(_));
    if has_list && !answer.headers().contains_key(header::VARY) {
        answer.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    }
}

/// Tells the handler of a request, by the extractor `HangUp`, when its client hangs
/// up, which is when the framework drops this.
struct Watch(Cancellation);

impl Watch {
    fn over(request: &ServiceRequest) -> Self {
        let cancellation = Cancellation::default();
        request.extensions_mut().insert(cancellation.clone());
        Self(cancellation)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What is answered in place of a handler that panicked. Its request is gone, and
/// with it what the inner layers would add: leave for other origins, and counts of
/// the limits. What the panic said is told to nobody: it may quote what the client
/// sent.
fn after_panic(api: &Api, begun: &Begun) -> Error {
    let mut answer = Problem::internal().render(api.app.now());
    finish(&mut answer, api, begun);
    InternalError::from_response("a handler panicked", answer).into()
}

/// Replaces what is not a success by its problem's document.
fn write_out(
    answered: ServiceResponse<BoxBody>,
    api: &Api,
) -> (ServiceResponse<BoxBody>, Option<Problem>) {
    let (request, mut response) = answered.into_parts();
    let status = response.status();
    let mut carried = response.extensions_mut().remove::<Problem>();
    let is_failure = status.is_client_error() || status.is_server_error();
    if carried.is_none() && is_failure && !is_document(&response) {
        carried = Some(Problem::of_status(status));
    }
    let Some(problem) = carried else { return (ServiceResponse::new(request, response), None) };
    let mut written = problem.render(api.app.now());
    for (name, value) in response.headers() {
        // What inner layers added stays; the body's own description does not.
        if !written.headers().contains_key(name) && !describes_body(name) {
            written.headers_mut().append(name.clone(), value.clone());
        }
    }
    (ServiceResponse::new(request, written), Some(problem))
}

fn describes_body(name: &HeaderName) -> bool {
    [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name)
}

/// Whether a handler has written a document of its own, as `/health` does.
fn is_document(response: &HttpResponse<BoxBody>) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

/// What is too large to be looked at.
fn head_refused(request: &ServiceRequest) -> Option<Problem> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET {
        return Some(Problem::target_too_long());
    }
    let lines = request.headers().iter();
    let head: usize = lines.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let method = request.method().as_str().len();
    (method + target + head > MAX_HEAD).then(Problem::head_too_large)
}

/// How long a body the head announces; nothing for one in chunks.
fn announced_length(request: &ServiceRequest) -> u64 {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn request_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_kept = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_plain);
    is_kept.then(|| id.to_owned())
}
