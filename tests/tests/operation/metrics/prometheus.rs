//! What Prometheus, its alerts and its dashboard make of them.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use portcullis_tests::Server;
use serde_json::Value;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");

/// Every name of a metric in a text, without what Prometheus adds to histograms.
fn named_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let metrics =
        words.filter(|word| word.starts_with("portcullis_") || word.starts_with("process_"));
    let suffixes = ["_bucket", "_sum", "_count"];
    let base = |word: &str| {
        let suffix = suffixes.iter().find_map(|suffix| word.strip_suffix(suffix));
        suffix.unwrap_or(word).to_owned()
    };
    metrics.map(base).collect()
}

/// Every expression of a dashboard.
fn expressions(value: &Value) -> String {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "expr" || name == "query" => format!("{text}\n"),
                value => expressions(value),
            })
            .collect(),
        Value::Array(values) => values.iter().map(expressions).collect(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    let (server, port) = Server::start_measured(&[]).await;
    server.logged_in("ann@example.com").await;
    let now = port.scrape().await;
    let told: BTreeSet<_> = now.names().into_iter().map(str::to_owned).collect();
    let read = |file: &str| std::fs::read_to_string(format!("{DEPLOY}/{file}")).unwrap();
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let rules = read("alerts.yml");
    let rules: String = rules.lines().filter(|line| !line.contains("summary:")).collect();
    for (file, named) in
        [("grafana.json", named_in(&expressions(&dashboard))), ("alerts.yml", named_in(&rules))]
    {
        assert!(named.len() >= 10, "{file}: {named:?}");
        let unknown: Vec<_> = named.difference(&told).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{file}");
    }
    // And nothing that is told is on no panel.
    let shown = named_in(&expressions(&dashboard));
    let hidden: Vec<_> = told.difference(&shown).collect();
    assert_eq!(hidden, Vec::<&String>::new(), "grafana.json");
}

#[tokio::test]
async fn prometheus_finds_nothing_to_object_to() {
    let (server, port) = Server::start_measured(&[]).await;
    server.logged_in("ann@example.com").await;
    let text = port.scrape().await.text;
    let mut command = Command::new(promtool());
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut checking = command.stderr(Stdio::piped()).spawn().unwrap();
    checking.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let checked = checking.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// `promtool`: named by `PROMTOOL`, on the path, or where tests/deploy.sh puts it.
fn promtool() -> PathBuf {
    let named = std::env::var_os("PROMTOOL").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("promtool"));
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/promtool/usr/bin/promtool");
    let found = named.into_iter().chain(on_path).chain([own.into()]).find(|file| file.is_file());
    found.expect("promtool is missing; `bash tests/deploy.sh` installs it")
}
