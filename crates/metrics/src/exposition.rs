//! What was counted, as Prometheus reads it.

use std::sync::Arc;

use metrics::{Gauge, KeyName, Recorder};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::Metrics;
use crate::catalogue::{ALL, BUILD_INFO, Kind};
use crate::family::register;

/// The catalogue holds bounds that no histogram can have.
#[derive(Debug, thiserror::Error)]
#[error("a histogram of the catalogue has no bounds")]
pub struct InvalidBuckets(#[from] BuildError);

/// What was counted so far, in text.
#[derive(Clone)]
pub struct Exposition(PrometheusHandle);

impl Exposition {
    /// Handles that count, and where to read what they did.
    ///
    /// # Errors
    /// [`InvalidBuckets`] when the catalogue is wrong.
    pub fn start(version: &str) -> Result<(Metrics, Self), InvalidBuckets> {
        let mut builder = PrometheusBuilder::new();
        for metric in ALL {
            if let Kind::Histogram(buckets) = metric.kind {
                let name = Matcher::Full(metric.name.to_owned());
                builder = builder.set_buckets_for_metric(name, buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        describe(&recorder);
        let exposition = Self(recorder.handle());
        let registry: Arc<dyn Recorder + Send + Sync> = Arc::new(recorder);
        register::<Gauge>(&registry, &BUILD_INFO, &[version]).set(1.0);
        Ok((Metrics::in_registry(registry), exposition))
    }

    /// The text format of Prometheus, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Sorts what histograms were told into their buckets. Until then each
    /// observation is kept, so somebody has to do this now and then, be it that
    /// nobody reads the text.
    pub fn sort_observations(&self) {
        self.0.run_upkeep();
    }
}

fn describe(recorder: &PrometheusRecorder) {
    for metric in ALL {
        let (name, unit) = (KeyName::from_const_str(metric.name), Some(metric.unit));
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, unit, metric.help.into()),
            Kind::Gauge => recorder.describe_gauge(name, unit, metric.help.into()),
            Kind::Histogram(_) => recorder.describe_histogram(name, unit, metric.help.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoginOutcome, LoginWay};
    use std::time::Duration;

    #[test]
    fn what_was_counted_is_told() {
        let (metrics, exposition) = Exposition::start("1.2.3").unwrap();
        metrics.logins.count((LoginWay::Form, LoginOutcome::Locked));
        metrics.lockouts.count(());
        let requests = metrics.requests_over(["/api/{id}".to_owned()]);
        requests.answered(Some("/api/{id}"), "GET", 200, Duration::from_millis(2));
        requests.answered(Some("/made/up"), "BREW", 599, Duration::from_secs(100));
        exposition.sort_observations();
        let text = exposition.render();
        for line in [
            "# TYPE portcullis_logins_total counter",
            "portcullis_logins_total{way=\"form\",outcome=\"locked\"} 1",
            "portcullis_logins_total{way=\"json\",outcome=\"locked\"} 0",
            "portcullis_lockouts_total 1",
            "portcullis_build_info{version=\"1.2.3\"} 1",
            "portcullis_http_requests_total{route=\"/api/{id}\",method=\"GET\",status=\"2xx\"} 1",
            "portcullis_http_requests_total{route=\"unmatched\",method=\"other\",status=\"5xx\"} 1",
            "portcullis_http_request_duration_seconds_bucket{route=\"/api/{id}\",method=\"GET\",le=\"0.0025\"} 1",
            "portcullis_http_request_duration_seconds_bucket{route=\"unmatched\",method=\"other\",le=\"10\"} 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is missing:\n{text}");
        }
        assert!(!text.contains("made/up") && !text.contains("BREW"), "{text}");
    }

    #[test]
    fn without_anybody_who_reads_it_counting_does_nothing() {
        let metrics = Metrics::off();
        metrics.lockouts.count(());
        metrics.requests_over([]).answered(None, "GET", 200, Duration::ZERO);
    }
}
