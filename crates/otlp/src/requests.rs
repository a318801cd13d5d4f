//! Requests as parts of traces.

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use portcullis_http::traces::{Asked, Headers, Outcome, Subject, Traces};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Longest header that is read: as much of `tracestate` as everybody has to pass on
/// (W3C Trace Context §3.3.1.5).
const MAX_HEADER: usize = 512;

/// The methods that are told; others may be anything a stranger writes.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Continues the traces that requests belong to, by OpenTelemetry's conventions for
/// HTTP servers.
#[derive(Debug, Default)]
pub struct RequestTraces(TraceContextPropagator);

/// The headers of a request, as the propagator reads them.
struct Carrier<'a>(Headers<'a>);

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        (self.0)(name).filter(|value| value.len() <= MAX_HEADER)
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Traces for RequestTraces {
    fn begin(&self, span: &Span, asked: &Asked<'_>) -> Option<String> {
        let parent = self.0.extract(&Carrier(asked.headers));
        span.record("otel.kind", "server");
        // Refused only where no layer listens: then there is no trace either.
        span.set_parent(parent).ok()?;
        let context = span.context();
        let own = context.span();
        let is_valid = own.span_context().is_valid();
        let known = METHODS.into_iter().find(|known| *known == asked.method);
        let name = known.unwrap_or("HTTP");
        span.set_attribute("http.request.method", known.unwrap_or("_OTHER"));
        match asked.route {
            Some(route) => {
                own.update_name(format!("{name} {route}"));
                span.set_attribute("http.route", route.to_owned());
            }
            None => own.update_name(name),
        }
        is_valid.then(|| own.span_context().trace_id().to_string())
    }

    fn end(&self, span: &Span, outcome: &Outcome) {
        span.set_attribute("http.response.status_code", i64::from(outcome.status));
        if let Some(Subject { user, session }) = outcome.subject {
            span.set_attribute("user.id", user.as_uuid().to_string());
            span.set_attribute("session.id", session.as_uuid().to_string());
        }
        // What a client does wrong is no error of the server's.
        if outcome.status >= 500 {
            span.set_status(Status::error(""));
        }
    }
}
