//! Emulators that are scripts for Node.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::Emulator;
use crate::held_port::HeldPort;

/// What installs them.
const MISSING: &str = "tests/run.sh installs it, and names it and Node in FIREBASE, \
    OAUTH2_MOCK_SERVER and NODE";

impl Emulator {
    /// Starts a script by the Node that `NODE` names, or that of the path, in a
    /// folder that may hold what it reads.
    pub(super) fn start_script(
        folder: TempDir,
        port: HeldPort,
        name: &str,
        script: &Path,
        arguments: &[&str],
    ) -> Self {
        let node = std::env::var_os("NODE").map_or_else(|| "node".into(), PathBuf::from);
        let script = script.to_str().unwrap();
        let arguments = [&[script], arguments].concat();
        Self::launch(folder, port, &node, &arguments, name, MISSING)
    }

    /// Posts JSON as the emulator's owner; returns what is answered.
    pub(super) fn post(&self, path: &str, body: &Value) -> String {
        let headers = "content-type: application/json\r\nauthorization: Bearer owner\r\n";
        self.request(&format!("POST {path}"), headers, &body.to_string())
    }
}

/// The file of a script: where a variable says, or where it lies on the path.
pub(super) fn script(variable: &str, name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::var_os(variable).map(PathBuf::from);
    let found = named.or_else(|| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    });
    // npm puts links on the path.
    found
        .and_then(|file| file.canonicalize().ok())
        .unwrap_or_else(|| panic!("these tests need {name}: {MISSING}"))
}
