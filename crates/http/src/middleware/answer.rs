//! The outermost layer: request id, one log line, problems written out, and an
//! end to panics.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Cancellation;
use tracing::{Instrument, error, info, info_span};

use super::{routed_path, security_headers};
use crate::extract::client::source_of;
use crate::problem::Problem;
use crate::{Api, CorsOrigins, Exchange};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is kept (contract §7).
const MAX_ID: usize = 128;

/// Longest request target: what nginx and Apache take by default.
const MAX_TARGET: usize = 8 * 1024;

/// Largest head: what nginx takes by default (4 buffers of 8 KiB). The framework
/// itself stops at 96 headers (431) and at 128 KiB before it parses (431).
const MAX_HEAD: usize = 32 * 1024;

/// Gives the request an id, and whatever comes back its final form.
pub(crate) async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let _on_connection = request.request().conn_data::<Exchange>().map(Exchange::begin);
    let _on_server = api.traffic.request();
    let id = request_id(&request).unwrap_or_else(|| api.app.new_request_id());
    let client = source_of(request.request());
    let path = routed_path(&request).to_owned();
    let method = request.method().clone();
    // The pattern, never the path: a path may hold a token.
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());

    // What handlers and inner layers refuse comes back as an answer, too.
    let span = info_span!("request", request_id = %id, %client);
    let hang_up = HangUp::watched_for(&request);
    let handled = async move {
        match head_refused(&request) {
            Some(problem) => Ok(request.into_response(problem.error_response())),
            None => next.call(request).await.map(ServiceResponse::map_into_boxed_body),
        }
    };
    // On its own: the framework drops what it waits for when the client hangs up,
    // and a statement that is dropped half-way costs its connection.
    let answered = actix_web::rt::spawn(handled.instrument(span)).await;
    drop(hang_up);
    let Ok(answered) = answered else {
        error!(request_id = %id, %method, route, status = 500, "a handler panicked");
        return Err(after_panic(&api, &id, &path));
    };
    let (mut response, problem) = write_out(answered?, &api);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if api.traffic.is_leaving() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    // What the CORS layer refuses or never sees depends on the origin too.
    let has_list = matches!(api.settings.cors, CorsOrigins::Listed(_));
    if has_list && !response.headers().contains_key(header::VARY) {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
    }

    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let code = problem.as_ref().map(|problem| tracing::field::debug(problem.code));
    if let Some(cause) = problem.and_then(|problem| problem.cause) {
        let cause = with_causes(&*cause);
        error!(request_id = %id, %method, route, status, cause, "a request failed");
    }
    info!(request_id = %id, %client, %method, route, status, code, micros, "answered");
    Ok(response)
}

/// Tells the handler of a request when its client hangs up, which is when the
/// framework drops this.
struct HangUp(Cancellation);

impl HangUp {
    fn watched_for(request: &ServiceRequest) -> Self {
        let cancellation = Cancellation::default();
        request.extensions_mut().insert(cancellation.clone());
        Self(cancellation)
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What is answered in place of a handler that panicked. Its request is gone, and
/// with it what the inner layers would add; so the answer comes whole. What the
/// panic said is told to nobody: it may quote what the client sent.
fn after_panic(api: &Api, id: &str, path: &str) -> Error {
    let mut answer = Problem::internal().render(api.app.now());
    security_headers::add(answer.headers_mut(), path, api.settings.is_https);
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
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

fn request_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_kept = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_plain);
    is_kept.then(|| id.to_owned())
}
