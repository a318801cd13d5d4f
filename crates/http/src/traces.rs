//! What whoever follows requests from service to service is told of them.

use tracing::Span;

pub use crate::extract::subject::Subject;

/// The first value of a header, by its name in lower case.
pub type Headers<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// A request that begins.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// The pattern that its path is routed by, never the path; none for a path that is
    /// not there.
    pub route: Option<&'a str>,
    /// Its headers.
    pub headers: Headers<'a>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The status of its answer.
    pub status: u16,
    /// Whom it was about, if that came out.
    pub subject: Option<Subject>,
}

/// Follows requests from service to service.
pub trait Traces: Send + Sync {
    /// A request begins, and nobody has entered its span, whose field `otel.kind` is
    /// empty. Returns the id of the trace
    /// that it belongs to, for the log.
    fn begin(&self, span: &Span, asked: &Asked<'_>) -> Option<String>;

    /// It ends.
    fn end(&self, span: &Span, outcome: &Outcome);
}
