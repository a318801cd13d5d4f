//! The arrows between crates are the ones that were meant.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// Each crate, and which of ours it may be built on. Tests may use more.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("app", &["domain"]),
    ("memory", &["domain"]),
    ("sql", &["domain"]),
    ("sqlite", &["domain", "sql"]),
    ("postgres", &["domain", "sql"]),
    ("redis", &["domain"]),
    ("crypto", &["bcrypt-lanes", "domain"]),
    ("smtp", &["domain"]),
    ("mail-api", &["api-client", "domain"]),
    ("appstore", &["api-client", "domain"]),
    ("api-client", &[]),
    ("google", &["api-client", "domain"]),
    ("firebase", &["api-client", "domain", "google"]),
    ("bcrypt-lanes", &[]),
    ("images", &["domain"]),
    ("storage", &["api-client", "domain", "google"]),
    ("metrics", &[]),
    ("http", &["app", "domain", "metrics"]),
    ("otlp", &["http"]),
    ("conformance", &["domain"]),
    ("testkit", &[]),
    ("simulators", &[]),
    (
        "server",
        &[
            "api-client",
            "app",
            "appstore",
            "crypto",
            "domain",
            "firebase",
            "google",
            "http",
            "images",
            "mail-api",
            "memory",
            "metrics",
            "otlp",
            "postgres",
            "redis",
            "smtp",
            "sqlite",
            "storage",
        ],
    ),
    ("example-limiter", &["domain"]),
    ("tests", &["conformance", "testkit"]),
    ("benches", &["testkit", "tests"]),
];

/// What the rules must never know of.
const FRAMEWORKS: &[&str] = &[
    "actix-web",
    "askama",
    "clap",
    "deadpool",
    "diesel",
    "diesel-async",
    "lettre",
    "metrics",
    "redis",
    "reqwest",
    "serde",
    "serde_json",
    "tokio",
    "tracing",
    "utoipa",
];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn normal_dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    let normal = all.filter(|dependency| dependency["kind"].is_null());
    normal.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("portcullis-")
}

#[test]
fn crates_are_built_on_what_they_were_meant_to() {
    let packages = packages();
    assert_eq!(packages.len(), ARROWS.len(), "a crate is missing from the picture");
    for package in packages {
        let name = short(package["name"].as_str().unwrap()).unwrap();
        let (_, meant) = ARROWS.iter().find(|(crate_, _)| *crate_ == name).unwrap();
        let found: BTreeSet<_> = normal_dependencies(&package);
        let found: BTreeSet<_> = found.iter().filter_map(|name| short(name)).collect();
        assert_eq!(found, meant.iter().copied().collect(), "{name}");
    }
}

#[test]
fn the_rules_know_no_framework() {
    let packages = packages();
    for pure in ["portcullis-domain", "portcullis-app"] {
        let package = packages.iter().find(|package| package["name"] == pure).unwrap();
        let known = normal_dependencies(package);
        let allowed = if pure == "portcullis-app" { &["askama"][..] } else { &[] };
        for framework in FRAMEWORKS.iter().filter(|name| !allowed.contains(name)) {
            assert!(!known.contains(*framework), "{pure} knows {framework}");
        }
    }
}

/// What is built, not what is locked: `rustls-webpki` and `quinn` name ring as
/// weak features, which cargo locks although nothing asks for them.
#[test]
fn one_provider_does_the_cryptography() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--prefix", "none", "--format", "{p}", "--offline"])
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("aws-lc-rs v")), "no tree: {tree}");
    for banned in ["ring", "openssl-sys", "native-tls", "rsa", "pq-sys"] {
        let start = format!("{banned} v");
        assert!(!tree.lines().any(|line| line.starts_with(&start)), "{banned} is in the tree");
    }
}
