//! The SMTP server of the Python world, as an independent reader.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::certificates::Certificates;
use super::message::SmtpMessage;
use crate::child::Server;
use crate::held_port::HeldPort;

/// The interpreter that Debian's package belongs to.
const PYTHON: &str = "/usr/bin/python3";
/// Longest wait for its port.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a server encrypts.
pub enum Encryption<'a> {
    /// Not at all.
    None,
    /// After `STARTTLS`, which it insists on.
    StartTls(&'a Certificates),
    /// From the first byte.
    Implicit(&'a Certificates),
}

/// `aiosmtpd` of Debian's package `python3-aiosmtpd`, as a child process that
/// ends with this value, and at the latest with the test process.
///
/// It refuses `refused@…` with 550 and `busy@…` with 451, and answers mails to
/// `quoted@…` with 554 and their last lines.
pub struct Aiosmtpd {
    port: HeldPort,
    folder: PathBuf,
    server: Mutex<Server>,
}

impl Aiosmtpd {
    /// Starts one on a free loopback port.
    ///
    /// # Panics
    /// When the package is not installed.
    #[must_use]
    pub fn start(encryption: &Encryption<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let handler = include_str!("recorder.py");
        fs::write(folder.path().join("portcullis_recorder.py"), handler).unwrap();
        let port = HeldPort::reserve();
        let mut arguments: Vec<String> = ["-m", "aiosmtpd", "-n", "-l"].map(str::to_owned).to_vec();
        arguments.push(port.address().to_string());
        arguments.extend(["-c", "portcullis_recorder.Recorder"].map(str::to_owned));
        let options = match encryption {
            Encryption::None => None,
            Encryption::StartTls(certificates) => Some(("--tlscert", "--tlskey", certificates)),
            Encryption::Implicit(certificates) => Some(("--smtpscert", "--smtpskey", certificates)),
        };
        if let Some((certificate, key, files)) = options {
            let files = [certificate, &path(&files.certificate()), key, &path(&files.key())];
            arguments.extend(files.map(str::to_owned));
        }
        let home = folder.path().to_owned();
        arguments.push(path(&home));
        let environment = [("PYTHONPATH", home.as_path())];
        let server =
            Server::spawn_as_ourselves(folder, Path::new(PYTHON), &arguments, &environment);
        let server = Self { port, folder: home.clone(), server: Mutex::new(server) };
        server.wait_for_port();
        server
    }

    fn wait_for_port(&self) {
        let start = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            let log = self.server().log();
            assert!(
                !log.contains("No module named aiosmtpd") && !log.contains("not found"),
                "aiosmtpd is missing; install it with: apt-get install python3-aiosmtpd"
            );
            assert!(start.elapsed() < PATIENCE, "aiosmtpd did not start: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The mails that it took, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<SmtpMessage> {
        let files = fs::read_dir(&self.folder).unwrap();
        let mut mails: Vec<_> = files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "mail"))
            .collect();
        mails.sort();
        mails.iter().map(|path| recorded(path)).collect()
    }

    /// Ends it.
    pub fn vanish(&self) {
        self.server().stop();
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path(file: &Path) -> String {
    file.display().to_string()
}

/// Reads what the handler wrote: the envelope, one address a line, an empty
/// line, the mail.
fn recorded(path: &Path) -> SmtpMessage {
    let bytes = fs::read(path).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an envelope");
    let envelope = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut addresses = envelope.lines().map(str::to_owned);
    SmtpMessage {
        envelope_from: addresses.next().unwrap_or_default(),
        envelope_to: addresses.collect(),
        raw: bytes[end + 4..].to_vec(),
    }
}
