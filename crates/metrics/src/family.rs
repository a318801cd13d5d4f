//! Families of series: one handle for each combination of labels.

use std::sync::{Arc, OnceLock};

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};

use crate::Labels;
use crate::catalogue::Metric;

/// Where series are registered.
pub(crate) type Registry = Arc<dyn Recorder + Send + Sync>;

/// Names the crate that counts; nothing filters by it.
static METADATA: Metadata<'static> = Metadata::new("portcullis", Level::INFO, None);

/// A kind of handle.
pub(crate) trait Handle: Sized {
    fn register(registry: &Registry, key: &Key) -> Self;
}

impl Handle for Counter {
    fn register(registry: &Registry, key: &Key) -> Self {
        registry.register_counter(key, &METADATA)
    }
}

impl Handle for Gauge {
    fn register(registry: &Registry, key: &Key) -> Self {
        registry.register_gauge(key, &METADATA)
    }
}

impl Handle for Histogram {
    fn register(registry: &Registry, key: &Key) -> Self {
        registry.register_histogram(key, &METADATA)
    }
}

/// Registers one series.
pub(crate) fn register<H: Handle>(registry: &Registry, metric: &Metric, values: &[&str]) -> H {
    let labels = metric.labels.iter().zip(values);
    let labels: Vec<_> =
        labels.map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    H::register(registry, &Key::from_parts(metric.name, labels))
}

/// Handles that are registered when they are first asked for, and kept.
struct Series<L, H> {
    metric: &'static Metric,
    registry: Registry,
    handles: Vec<(L, OnceLock<H>)>,
}

impl<L: Labels, H: Handle> Series<L, H> {
    fn of(metric: &'static Metric, registry: &Registry) -> Self {
        let handles = L::all().into_iter().map(|labels| (labels, OnceLock::new())).collect();
        Self { metric, registry: Arc::clone(registry), handles }
    }

    /// The same, with all series there from the start: what has never happened is 0
    /// then, and not absent, so that its first time shows in a rate.
    fn at_once(metric: &'static Metric, registry: &Registry) -> Self {
        let series = Self::of(metric, registry);
        for (labels, _) in &series.handles {
            series.get(*labels);
        }
        series
    }

    fn get(&self, labels: L) -> Option<&H> {
        let (labels, handle) = self.handles.get(labels.place())?;
        let made = || register(&self.registry, self.metric, &labels.values());
        Some(handle.get_or_init(made))
    }
}

/// A family of counters.
pub struct Counters<L>(Series<L, Counter>);

impl<L: Labels> Counters<L> {
    pub(crate) fn of(metric: &'static Metric, registry: &Registry) -> Self {
        Self(Series::at_once(metric, registry))
    }

    /// Counts one.
    pub fn count(&self, labels: L) {
        if let Some(counter) = self.0.get(labels) {
            counter.increment(1);
        }
    }

    /// Takes over what was counted elsewhere.
    pub fn stands_at(&self, labels: L, count: u64) {
        if let Some(counter) = self.0.get(labels) {
            counter.absolute(count);
        }
    }
}

/// A family of gauges. A series is there once it was set.
pub struct Gauges<L>(Series<L, Gauge>);

impl<L: Labels> Gauges<L> {
    pub(crate) fn of(metric: &'static Metric, registry: &Registry) -> Self {
        Self(Series::of(metric, registry))
    }

    /// Notes what it is now.
    pub fn set(&self, labels: L, value: f64) {
        if let Some(gauge) = self.0.get(labels) {
            gauge.set(value);
        }
    }
}

/// A family of histograms of durations.
pub struct Durations<L>(Series<L, Histogram>);

impl<L: Labels> Durations<L> {
    pub(crate) fn of(metric: &'static Metric, registry: &Registry) -> Self {
        Self(Series::at_once(metric, registry))
    }

    /// Notes how long something took.
    pub fn record(&self, labels: L, took: std::time::Duration) {
        if let Some(histogram) = self.0.get(labels) {
            histogram.record(took);
        }
    }
}
