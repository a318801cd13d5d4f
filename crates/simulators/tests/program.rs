//! The program, as somebody starts it who writes no Rust.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// The program with these arguments. It ends with this value, however a test
/// ends.
struct Program {
    child: Child,
    folder: TempDir,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_portcullis-simulators"))
            .arg("--folder")
            .arg(folder.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// The settings that it prints.
    fn settings(&mut self) -> HashMap<String, String> {
        let lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        lines
            .map(|line| line.unwrap())
            .take(13)
            .map(|line| {
                let (name, value) = line.split_once('=').unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn the_program_prints_settings_that_lead_to_services_which_answer() {
    let mut program = Program::start(&["--port", "0"]);
    let settings = program.settings();
    for (name, value) in &settings {
        if name.ends_with("_PATH") || name.ends_with("_CERTIFICATES") {
            assert!(value.starts_with(program.folder.path().to_str().unwrap()), "{name}");
            assert!(std::fs::read_to_string(value).unwrap().starts_with("-----BEGIN"), "{name}");
        }
        if value.starts_with("http") {
            // Nobody without a token is let in, and that is an answer.
            let answer = reqwest::get(value).await.unwrap();
            assert!(answer.status().is_client_error(), "{name}: {}", answer.status());
        }
    }
    assert_eq!(settings.len(), 13);
    let urls = settings.values().filter(|value| value.starts_with("http"));
    let ports: HashSet<_> = urls.map(|url| reqwest::Url::parse(url).unwrap().port()).collect();
    assert_eq!(ports.len(), 3);
}

#[test]
fn a_port_without_two_more_after_it_is_refused() {
    for port in ["65534", "65535", "65536", "-1"] {
        let mut program = Program::start(&[&format!("--port={port}")]);
        assert_eq!(program.child.wait().unwrap().code(), Some(2), "{port}");
    }
}
