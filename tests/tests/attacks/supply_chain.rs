//! What the program is built of (SC).

use std::fs;
use std::path::Path;

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
