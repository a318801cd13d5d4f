//! The collector of traces: there, not there, silent, or of another mind.

use portcullis_testkit::{TraceCollector, free_port};
use portcullis_tests::Outcome;
use serde_json::Value;

use super::{finding, report};

const WHAT: &str = "trace collector";

fn looked_at(endpoint: &str) -> (Outcome, Value) {
    let folder = tempfile::tempdir().unwrap();
    let headers = "api-key=canary-key";
    let settings =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_HEADERS", headers)];
    report(folder.path(), &settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_asked_with_its_key_and_told_nothing() {
    let collector = TraceCollector::start().await;
    let (outcome, report) = looked_at(&collector.url());
    assert!(outcome.status.success(), "{}", outcome.said());
    let found = finding(&report, WHAT, "ok")["found"].as_str().unwrap();
    assert!(found.starts_with(&collector.url()), "{found}");
    assert_eq!(collector.keys(), [Some("canary-key".to_owned())]);
    assert!(collector.bodies().is_empty() && collector.spans().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_takes_nothing_is_wrong() {
    let collector = TraceCollector::start().await;
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (endpoint, told, to_do) in [
        (format!("{}/elsewhere", collector.url()), "it answers 400", "/v1/traces is added"),
        (format!("http://127.0.0.1:{}", free_port()), "it cannot be reached", "4318"),
        (format!("http://{}", silent.local_addr().unwrap()), "it cannot be reached", "4318"),
    ] {
        let (outcome, report) = looked_at(&endpoint);
        assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
        let finding = finding(&report, WHAT, "wrong");
        assert!(finding["found"].as_str().unwrap().contains(told), "{finding}");
        assert!(finding["to_do"].as_str().unwrap().contains(to_do), "{finding}");
    }
}
