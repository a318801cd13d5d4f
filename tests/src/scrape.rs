//! What a server tells Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_testkit::free_port;

use crate::{Anonymous, Answer, Server};

/// All series at a moment.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// The answer as it came.
    pub text: String,
    series: BTreeMap<String, f64>,
}

/// Where a server tells its metrics.
#[derive(Clone, Copy, Debug)]
pub struct MetricsPort(u16);

impl MetricsPort {
    /// A port that is free.
    #[must_use]
    pub fn free() -> Self {
        Self(free_port())
    }

    /// The setting that opens it.
    #[must_use]
    pub fn setting(self) -> String {
        format!("127.0.0.1:{}", self.0)
    }

    /// Asks it for anything.
    pub async fn get(self, path: &str) -> Answer {
        self.anonymous().get(path).await
    }

    /// Whether anybody listens there.
    pub async fn is_open(self) -> bool {
        self.anonymous().if_any("/metrics").await.is_ok()
    }

    /// Reads all metrics.
    pub async fn scrape(self) -> Scrape {
        let answer = self.get("/metrics").await.expect(200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Scrape::read(answer.text)
    }

    fn anonymous(self) -> Anonymous {
        Anonymous::at(format!("http://127.0.0.1:{}", self.0))
    }
}

impl Server {
    /// Starts a server that tells its metrics, with other settings too.
    pub async fn start_measured(settings: &[(&str, &str)]) -> (Self, MetricsPort) {
        let port = MetricsPort::free();
        let address = port.setting();
        let settings = [settings, &[("METRICS_ADDR", &*address)]].concat();
        (Self::start_with(&settings).await, port)
    }
}

impl Scrape {
    #[track_caller]
    fn read(text: String) -> Self {
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a series has a value");
            let value = value.parse().expect("a value is a number");
            assert!(series.insert(name.to_owned(), value).is_none(), "{name} is told twice");
        }
        Self { text, series }
    }

    /// The value of a series, written as Prometheus does; 0 if it is not told.
    #[must_use]
    pub fn value(&self, series: &str) -> f64 {
        self.series.get(series).copied().unwrap_or(0.0)
    }

    /// The names of all metrics that are declared.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }

    /// The names of all series.
    pub fn series(&self) -> impl Iterator<Item = &str> {
        self.series.keys().map(String::as_str)
    }

    /// The counters of these families that have grown since, and by how much.
    #[must_use]
    pub fn growth_since<'a>(&'a self, before: &Self, families: &[&str]) -> Vec<(&'a str, f64)> {
        let is_meant = |name: &str| {
            let family = name.split('{').next().unwrap_or(name);
            families.contains(&family)
        };
        let grown = self.series.iter().filter(|(name, _)| is_meant(name));
        grown
            .map(|(name, value)| (name.as_str(), value - before.value(name)))
            .filter(|(_, by)| *by != 0.0)
            .collect()
    }
}
