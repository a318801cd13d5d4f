//! Other people's emulators of clouds, as child processes.

mod fake_gcs;
mod firebase;
mod gcp_storage;
mod moto;
mod rotel;
mod script;
mod token_issuer;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child::Server;
use crate::held_port::HeldPort;

pub use fake_gcs::FakeGcs;
pub use firebase::FirebaseEmulator;
pub use gcp_storage::GcpStorageEmulator;
pub use moto::Moto;
pub use rotel::Rotel;
pub use token_issuer::TokenIssuer;

/// Longest wait for the port: Python takes seconds where others build.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that serves a loopback port and ends with this value, at the latest
/// with the test process.
struct Emulator {
    port: HeldPort,
    server: Server,
}

impl Emulator {
    /// Starts the program that `variable` names, or `name` of the path. Among the
    /// arguments, `{port}`, `{address}` and `{folder}` stand for what they are.
    fn start(variable: &str, name: &str, package: &str, arguments: &[&str]) -> Self {
        let program = std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from);
        let missing = format!("`pip install {package}`, or name it in {variable}");
        let folder = tempfile::tempdir().unwrap();
        Self::launch(folder, HeldPort::reserve(), &program, arguments, name, &missing)
    }

    /// Starts a program in a folder, which is its home.
    fn launch(
        folder: TempDir,
        port: HeldPort,
        program: &Path,
        arguments: &[&str],
        name: &str,
        missing: &str,
    ) -> Self {
        let fill = |text: &&str| {
            text.replace("{port}", &port.address().port().to_string())
                .replace("{address}", &port.address().to_string())
                .replace("{folder}", &folder.path().display().to_string())
        };
        let arguments: Vec<String> = arguments.iter().map(fill).collect();
        let home = folder.path().to_owned();
        let environment = [("XDG_CONFIG_HOME", home.as_path())];
        let server = Server::spawn_as_ourselves(folder, program, &arguments, &environment);
        let emulator = Self { port, server };
        let start = Instant::now();
        while TcpStream::connect(emulator.address()).is_err() {
            let log = emulator.server.log();
            let is_missing = ["not found", "No such file", "Cannot find module"];
            assert!(
                !is_missing.iter().any(|words| log.contains(words)),
                "these tests need {name}: {missing}: {log}"
            );
            assert!(start.elapsed() < PATIENCE, "{name} did not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        emulator
    }

    fn address(&self) -> SocketAddr {
        self.port.address()
    }

    fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// One request, for setting things up; its answer's body. In HTTP/1.0 that ends
    /// with the connection and comes in one piece.
    fn request(&self, first_line: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        write!(
            stream,
            "{first_line} HTTP/1.0\r\nhost: {}\r\n{headers}content-length: {length}\r\n\r\n{body}",
            self.address()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{first_line}: {answer}");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}
