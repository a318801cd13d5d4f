//! What the program is built of (SC).

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A member that leaves the workspace's lints out would be free to use `unsafe`.
#[test]
fn sc_03_unsafe_is_forbidden_in_every_crate() {
    let workspace = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    let mut members = vec![Path::new(ROOT).join("tests")];
    for folder in ["crates", "examples"] {
        let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
        members.extend(entries.map(|entry| entry.unwrap().path()));
    }
    assert!(members.len() > 10);
    for member in members {
        let manifest = fs::read_to_string(member.join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{}", member.display());
    }
}

fn locked() -> Vec<(String, Vec<u64>)> {
    let lock = fs::read_to_string(Path::new(ROOT).join("Cargo.lock")).unwrap();
    let quoted = |line: &str, key: &str| {
        line.strip_prefix(&format!("{key} = \"")).map(|rest| rest.trim_end_matches('"').to_owned())
    };
    let mut packages = Vec::new();
    let mut name = String::new();
    for line in lock.lines() {
        if let Some(found) = quoted(line, "name") {
            name = found;
        } else if let Some(version) = quoted(line, "version") {
            let core = version.split(['-', '+']).next().unwrap();
            let numbers = core.split('.').map(|number| number.parse().unwrap()).collect();
            packages.push((std::mem::take(&mut name), numbers));
        }
    }
    packages
}

/// Versions since which a known hole is closed. No build machine has to reach an
/// advisory database for this; `just audit` asks one.
#[test]
fn sc_01_nothing_older_is_built_than_the_version_that_closed_its_hole() {
    let floors = [
        ("jsonwebtoken", "10.3.0", "CVE-2026-25537"),
        // RUSTSEC-2026-0561 is closed in 0.11.24, which could not be had on 2026-11-22.
        // Until then `line_ends.rs` of the mailer closes it: no bare CR or LF
        // reaches lettre (ML-03).
        ("lettre", "0.11.23", "RUSTSEC-2026-0561"),
        ("diesel", "2.2.3", "RUSTSEC-2024-0365"),
        ("tokio-postgres", "0.7.18", "RUSTSEC-2026-0178"),
        ("idna", "1.0.3", "RUSTSEC-2024-0421"),
        ("bcrypt", "0.19.2", "RUSTSEC-2026-0199"),
        ("time", "0.3.47", "RUSTSEC-2026-0009"),
        ("tracing-subscriber", "0.3.20", "RUSTSEC-2025-0055"),
        ("h2", "0.4.16", "RUSTSEC-2026-0258"),
        ("sqlx", "0.8.1", "RUSTSEC-2024-0363"),
    ];
    let locked = locked();
    assert!(locked.len() > 200, "{}", locked.len());
    let mut seen = 0;
    for (name, floor, advisory) in floors {
        let floor: Vec<u64> = floor.split('.').map(|number| number.parse().unwrap()).collect();
        for (_, version) in locked.iter().filter(|(locked, _)| locked == name) {
            assert!(*version >= floor, "{name} {version:?}: {advisory} is closed in {floor:?}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} of them are locked at all");
}

/// A bill of materials: name, version, licence and origin of all that is built.
#[test]
fn sc_02_everything_that_is_built_is_locked_and_tells_its_licence_and_origin() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 200, "{}", packages.len());
    let of_crates_io = "registry+https://github.com/rust-lang/crates.io-index";
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let is_told = package["license"].is_string() || package["license_file"].is_string();
        assert!(is_told, "{name} tells no licence");
        let is_ours = package["source"].is_null() && name.starts_with("portcullis-");
        assert!(is_ours || package["source"] == of_crates_io, "{name}: {}", package["source"]);
    }
    let tracked = Command::new("git")
        .args(["ls-files", "--error-unmatch", "Cargo.lock"])
        .current_dir(ROOT)
        .output()
        .unwrap();
    assert!(tracked.status.success(), "Cargo.lock is not tracked");
}

#[test]
fn sc_04_a_release_checks_its_arithmetic_and_survives_a_panic() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let release = manifest.split("[profile.release]").nth(1).unwrap();
    assert!(release.split('[').next().unwrap().contains("overflow-checks = true"));
    assert!(!manifest.contains("panic = \"abort\""), "one panic would end all requests");
}

/// What only tests need is not built into the program, and no account or key of
/// theirs opens it.
#[test]
fn sc_05_nothing_of_the_tests_is_in_the_program() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "portcullis-server",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(ROOT)
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("portcullis-http"), "{tree}");
    for of_tests in [
        "mockall",
        "portcullis-testkit",
        "portcullis-conformance",
        "portcullis-tests",
        "rcgen",
        "fantoccini",
    ] {
        assert!(!tree.lines().any(|line| line.starts_with(&format!("{of_tests} "))), "{of_tests}");
    }
    let program = fs::read(portcullis_tests::program()).unwrap();
    let contains = |text: &str| program.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains("Database connection failed"), "the program does not even hold its own words");
    for secret in [
        "canary-",
        "a-secret-that-is-long-enough",
        "BEGIN PRIVATE KEY-----\nM",
        "BEGIN RSA PRIVATE KEY-----\nM",
    ] {
        assert!(!contains(secret), "{secret} is in the program");
    }
}
