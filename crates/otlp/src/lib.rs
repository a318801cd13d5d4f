//! Traces of requests, sent to a collector in OpenTelemetry's protocol (OTLP over
//! HTTP, protobuf).
//!
//! A request continues the trace that its `traceparent` header names (W3C Trace
//! Context), or begins one. Spans hold routes, outcomes, network addresses and ids of
//! requests, users and sessions; never a path, an e-mail address or a token.
//!
//! Nothing waits for the collector: spans go through a bounded queue to a thread of
//! their own, and those that find it full are dropped.

mod probe;
mod requests;

use std::collections::HashMap;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use secrecy::{ExposeSecret, SecretString};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

pub use probe::ProbeError;
pub use requests::RequestTraces;

/// How long the collector may take for a batch (`OTEL_EXPORTER_OTLP_TIMEOUT` has
/// 10 s by default; ours must end within the time that a shutdown has).
const PATIENCE: Duration = Duration::from_secs(5);

/// Where traces go, and which.
#[derive(Debug)]
pub struct TraceSettings {
    /// The collector's base address; `/v1/traces` is added.
    pub endpoint: String,
    /// Headers that the collector wants, such as a key.
    pub headers: Vec<(String, SecretString)>,
    /// How the service is called in traces.
    pub service_name: String,
    /// Its version.
    pub service_version: &'static str,
    /// Which share of the traces that begin here is recorded, 0 to 1. Of one that
    /// begins elsewhere, its beginner decides.
    pub share: f64,
}

impl TraceSettings {
    /// Whether what is sent is hidden from those in between. What is not goes by no
    /// proxy.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.endpoint.starts_with("https://")
    }

    fn traces_url(&self) -> String {
        format!("{}/v1/traces", self.endpoint.trim_end_matches('/'))
    }
}

/// Traces cannot be sent there.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The client cannot be made.
    #[error("no client for the collector")]
    Client(#[from] reqwest::Error),
    /// The exporter refuses its settings.
    #[error("the exporter refuses its settings")]
    Exporter(#[from] ExporterBuildError),
}

/// Traces on their way to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to send. Not from within an asynchronous runtime.
    ///
    /// # Errors
    /// [`OpenError`] when the settings cannot be used; a collector that is not there
    /// is no error.
    pub fn open(settings: &TraceSettings) -> Result<Self, OpenError> {
        let mut client = reqwest::blocking::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none());
        if !settings.is_encrypted() {
            client = client.no_proxy();
        }
        let client = client.build()?;
        let headers = settings.headers.iter();
        let headers: HashMap<_, _> =
            headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(settings.traces_url())
            .with_timeout(PATIENCE)
            .with_headers(headers)
            .build()?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", settings.service_version))
            .build();
        let share = Sampler::TraceIdRatioBased(settings.share);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What turns the spans of this project's crates into those of a trace. Those of
    /// others are left out: who sends spans must not make more by sending. So are lines
    /// of the log, which say more than a trace should.
    #[must_use]
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("portcullis"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_ours).with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends what is left, and ends. Waits for the collector for some seconds; not
    /// from within an asynchronous runtime.
    pub fn close(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("portcullis")
}
