//! Which adapter runs which laws, and what becomes of it.

mod table;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis_conformance::catalogue::{self, Law};
use serde_json::Value;

pub use table::table;

/// The test programs that run laws: their packages and names. The first shows
/// that each law can fail.
const PROGRAMS: &[(&str, &str)] = &[
    ("portcullis-conformance", "broken_adapters"),
    ("portcullis-memory", "laws"),
    ("portcullis-sqlite", "laws"),
    ("portcullis-postgres", "laws"),
    ("portcullis-redis", "laws"),
    ("portcullis-crypto", "laws"),
    ("portcullis-smtp", "smtp"),
    ("portcullis-mail-api", "mail_api"),
    ("portcullis-storage", "storage"),
    ("portcullis-example-limiter", "laws"),
];

/// A law at an adapter, in one of its arrangements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The adapter's crate, without the name of the house.
    pub adapter: String,
    /// The arrangement, if there are several.
    pub arrangement: Option<String>,
    /// The law.
    pub law: Law,
    /// Whether it holds; for the adapters that are meant to break it, whether
    /// it was seen to be broken.
    pub holds: bool,
}

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where the table is kept.
#[must_use]
pub fn file() -> PathBuf {
    root().join("docs/conformance.md")
}

/// The names of the packages whose tests run laws.
pub fn packages() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|(package, _)| *package)
}

/// Every trial that there is, as if all had been passed; runs none.
#[must_use]
pub fn listed() -> Vec<Trial> {
    trials(&["--list"], |line| Some((line.strip_suffix(": test")?, true)))
}

/// Every trial, run.
#[must_use]
pub fn held() -> Vec<Trial> {
    trials(&["--quiet", "--format=pretty"], |line| {
        let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
        Some((name, outcome == "ok"))
    })
}

fn trials(arguments: &[&str], read: impl Fn(&str) -> Option<(&str, bool)>) -> Vec<Trial> {
    let executables = executables();
    let mut trials = Vec::new();
    for (package, program) in PROGRAMS {
        let (executable, folder) = &executables[&(package.to_string(), program.to_string())];
        let output = Command::new(executable).args(arguments).current_dir(folder).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let of_package = told.lines().filter_map(&read);
        trials.extend(of_package.filter_map(|(name, holds)| trial(package, name, holds)));
    }
    trials
}

/// `None` for a test that is no law.
fn trial(package: &str, test: &str, holds: bool) -> Option<Trial> {
    let mut path = test.rsplit("::");
    let (name, module) = (path.next()?, path.next()?);
    let law = catalogue::laws().into_iter().find(|law| law.name == name && law.module == module)?;
    let adapter = package.trim_start_matches("portcullis-").to_owned();
    let arrangement = path.next().filter(|module| *module != "laws").map(str::to_owned);
    Some(Trial { adapter, arrangement, law, holds })
}

/// Builds the programs; tells each one's file and the folder to run it in.
///
/// The whole workspace is named, so that its features are the same as when
/// everything is tested, and what was built for that is not built again.
fn executables() -> HashMap<(String, String), (PathBuf, PathBuf)> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--workspace", "--no-run", "--offline", "--message-format=json"]);
    for (_, program) in PROGRAMS {
        cargo.args(["--test", program]);
    }
    let output = cargo.current_dir(root()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the laws do not build:\n{told}");
    let artifacts = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    artifacts.filter_map(executable).collect()
}

fn executable(artifact: &[u8]) -> Option<((String, String), (PathBuf, PathBuf))> {
    let artifact: Value = serde_json::from_slice(artifact).unwrap();
    let file = PathBuf::from(artifact["executable"].as_str()?);
    let folder = Path::new(artifact["manifest_path"].as_str()?).parent()?.to_owned();
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let package = manifest.lines().find_map(|line| line.strip_prefix("name = "))?;
    let program = artifact["target"]["name"].as_str()?;
    Some(((package.trim_matches('"').to_owned(), program.to_owned()), (file, folder)))
}
