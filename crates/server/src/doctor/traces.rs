//! The collector that traces of requests are sent to.

use std::time::Instant;

use portcullis_domain::error::with_causes;
use portcullis_otlp::ProbeError;

use super::finding::Finding;
use super::{PATIENCE, millis};
use crate::settings::Parts;

const WHAT: &str = "trace collector";

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let Ok(settings) = &parts.traces else { return Vec::new() };
    let Some(settings) = settings else {
        return vec![Finding::off(WHAT, "OTEL_EXPORTER_OTLP_ENDPOINT is not set: no traces")];
    };
    let (endpoint, started) = (&settings.endpoint, Instant::now());
    vec![match settings.probe(PATIENCE).await {
        Ok(()) => Finding::ok(WHAT, format!("{endpoint}, {}", millis(started.elapsed()))),
        Err(error) => {
            let advice = match error {
                ProbeError::Unreachable(_) => {
                    "see whether it runs there and takes OTLP over HTTP (port 4318 by default, not \
                     4317); until it does, traces are lost, and nothing else"
                }
                ProbeError::Refused(_) => {
                    "see the path in OTEL_EXPORTER_OTLP_ENDPOINT (/v1/traces is added), and the key \
                     in OTEL_EXPORTER_OTLP_HEADERS; until it is mended, traces are lost"
                }
            };
            Finding::wrong(WHAT, format!("{endpoint}: {}", with_causes(&error)), advice)
        }
    }]
}
