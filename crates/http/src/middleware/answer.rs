//! The outermost layer: request id, one log line, and problems written out.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use portcullis_domain::error::with_causes;
use tracing::{error, info};

use crate::Api;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is kept (contract §7).
const MAX_ID: usize = 128;

/// Gives the request an id, and whatever comes back its final form.
pub(crate) async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
        return Ok(request.into_response(HttpResponse::InternalServerError().finish()));
    };
    let id = request_id(&request).unwrap_or_else(|| api.app.new_request_id());
    let method = request.method().clone();
    // The pattern, never the path: a path may hold a token.
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());

    // What handlers and inner layers refuse comes back as an answer, too.
    let answered = next.call(request).await?.map_into_boxed_body();
    let (mut response, problem) = write_out(answered, &api);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }

    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let code = problem.as_ref().map(|problem| tracing::field::debug(problem.code));
    if let Some(cause) = problem.and_then(|problem| problem.cause) {
        let cause = with_causes(&*cause);
        error!(request_id = %id, %method, route, status, cause, "a request failed");
    }
    info!(request_id = %id, %method, route, status, code, micros, "answered");
    Ok(response)
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

fn request_id(request: &ServiceRequest) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_kept = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(is_plain);
    is_kept.then(|| id.to_owned())
}
