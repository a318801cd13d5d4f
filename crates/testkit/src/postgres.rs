//! A throw-away Postgres.

mod session;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

use crate::Certificates;
use crate::child::{Server, folder, lend, program, run, unprivileged, until};
use crate::port::free_port;

pub use session::PostgresSession;

/// A Postgres server with nothing in it, which forgets everything with its end.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    port: u16,
    templates: Mutex<HashSet<String>>,
}

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It tells its clients, and writes everything down (`pg_ctl stop -m fast`).
    Fast,
    /// It drops everything; the next start recovers (`-m immediate`).
    Immediate,
    /// It is killed, and its clients' processes find themselves alone.
    Killed,
}

static SHARED: OnceLock<Postgres> = OnceLock::new();
static NAMES: AtomicU32 = AtomicU32::new(0);

/// Fast, and of no use to anybody who wants to keep data when the machine stops.
/// What was committed does outlive the server.
const FORGETFUL: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=400",
    "logging_collector=off",
];

/// The superuser is trusted; whoever a test adds needs a password.
const ADMISSION: &str = "local all test trust
host all test 127.0.0.1/32 trust
host replication test 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

fn binary(name: &str) -> PathBuf {
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    installed.sort();
    installed.reverse();
    program(name, &installed, "postgresql")
}

impl Postgres {
    /// The server that all tests of this process share, started at first use.
    #[must_use]
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// A server of one's own, with further settings: `name=value`.
    #[must_use]
    pub fn start(settings: &[&str]) -> Self {
        Self::start_in(initialised(), settings)
    }

    /// A server of one's own that can be reached with TLS too.
    #[must_use]
    pub fn start_with_tls(certificates: &Certificates) -> Self {
        let folder = initialised();
        let setting = |name: &str, file: &std::path::Path| {
            format!("{name}={}", lend(folder.path(), file).display())
        };
        let certificate = setting("ssl_cert_file", &certificates.certificate());
        let key = setting("ssl_key_file", &certificates.key());
        Self::start_in(folder, &["ssl=on", &certificate, &key])
    }

    /// A standby of this server that can be read, and that has every commit before
    /// it is acknowledged. It lives on when this one does not.
    #[must_use]
    pub fn synchronous_standby(&self) -> Self {
        let folder = folder("portcullis-standby-");
        let mut backup = Command::new(binary("pg_basebackup"));
        backup.args(["-h", "127.0.0.1", "-U", "test", "-p", &self.port.to_string()]);
        backup.args(["-R", "-c", "fast", "--no-sync", "-D"]).arg(folder.path().join("data"));
        run(unprivileged(&mut backup).current_dir("/"));
        let standby = Self::start_in(folder, &[]);
        let url = self.url("postgres");
        for change in
            ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"]
        {
            self.sql(&url, change);
        }
        until("the standby is synchronous", || {
            let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
            self.sql(&url, state).trim() == "1"
        });
        standby
    }

    /// Makes a standby a server of its own, and waits until it is.
    pub fn promote(&self) {
        assert_eq!(self.sql(&self.url("postgres"), "SELECT pg_promote()").trim(), "t");
    }

    /// Ends the server in that way, and starts it again with everything that was
    /// committed.
    pub fn restart(&mut self, ending: Ending) {
        self.server.end_by(match ending {
            Ending::Fast => "INT",
            Ending::Immediate => "QUIT",
            Ending::Killed => "KILL",
        });
        self.start_again();
    }

    /// A server of one's own on a disk of so many mebibytes; needs root.
    #[must_use]
    pub fn start_on_disk(size: u32, settings: &[&str]) -> Self {
        let (folder, port) = (initialised(), free_port());
        let arguments = arguments(folder.path(), port, settings);
        let server = Server::spawn_on_disk(folder, size, &binary("postgres"), &arguments);
        let mut started = Self { server, port, templates: Mutex::default() };
        started.wait_until_ready();
        started
    }

    /// Its folder on a disk of its own, as it sees it itself.
    #[must_use]
    pub fn disk(&self) -> PathBuf {
        self.server.disk()
    }

    /// The ids of the processes that serve connections and do background work.
    #[must_use]
    pub fn workers(&self) -> Vec<String> {
        self.server.children()
    }

    fn start_in(folder: TempDir, settings: &[&str]) -> Self {
        let port = free_port();
        let arguments = arguments(folder.path(), port, settings);
        let server = Server::spawn(folder, &binary("postgres"), &arguments);
        let mut started = Self { server, port, templates: Mutex::default() };
        started.wait_until_ready();
        started
    }

    /// The port on which it listens, on the loopback address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database for somebody who needs a password.
    #[must_use]
    pub fn url_of(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://test@127.0.0.1:{}/{database}", self.port)
    }

    /// A new, empty database; returns its address.
    #[must_use]
    pub fn empty_database(&self) -> String {
        let name = fresh_name();
        self.create(&name, "template0");
        self.url(&name)
    }

    /// A new database like the template of that name, which `make` fills when
    /// it is asked for first, and leaves; returns its address.
    pub fn database_like(&self, template: &str, make: impl FnOnce(&str)) -> String {
        {
            let mut templates = self.templates.lock().unwrap();
            if !templates.contains(template) {
                self.create(template, "template0");
                make(&self.url(template));
                templates.insert(template.to_owned());
            }
        }
        let name = fresh_name();
        self.create(&name, template);
        self.url(&name)
    }

    fn create(&self, name: &str, template: &str) {
        // A connection that has just been closed may still be on its way out.
        for _ in 0..50 {
            let mut command = Command::new(binary("createdb"));
            command.args(["-h", "127.0.0.1", "-U", "test", "-p", &self.port.to_string()]);
            let output = command.args(["-T", template, name]).output().unwrap();
            if output.status.success() {
                return;
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("being accessed by other users"), "createdb: {said}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("somebody does not leave the template {template}");
    }

    /// Runs SQL as its superuser; returns what it prints, a row per line.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        let mut command = Command::new(binary("psql"));
        run(command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url]))
    }

    /// A connection of its superuser that stays open, and with it what it begins.
    #[must_use]
    pub fn session(&self, url: &str) -> PostgresSession {
        PostgresSession::open(&binary("psql"), url)
    }

    /// Lets all processes of the server do nothing at all, or go on.
    pub fn hang(&self, hangs: bool) {
        self.server.signal(if hangs { "STOP" } else { "CONT" });
    }

    /// Ends the server at once.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again, with everything that was committed.
    pub fn start_again(&mut self) {
        self.server.start_again();
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let (ready, port) = (binary("pg_isready"), self.port.to_string());
        self.server.wait_until(|| {
            let mut ask = Command::new(&ready);
            ask.args(["-q", "-h", "127.0.0.1", "-U", "test", "-p", &port]);
            ask.status().unwrap().success()
        });
    }
}

fn arguments(folder: &Path, port: u16, settings: &[&str]) -> Vec<String> {
    let path = folder.display().to_string();
    let mut arguments = vec!["-D".to_owned(), format!("{path}/data"), "-k".to_owned(), path];
    arguments.extend(["-p".to_owned(), port.to_string()]);
    for setting in FORGETFUL.iter().chain(settings) {
        arguments.extend(["-c".to_owned(), (*setting).to_owned()]);
    }
    arguments.extend(["-c".to_owned(), "listen_addresses=127.0.0.1".to_owned()]);
    arguments
}

/// The folder of a server that has not been started yet.
fn initialised() -> TempDir {
    let folder = folder("portcullis-postgres-");
    let data = folder.path().join("data");
    let mut initdb = Command::new(binary("initdb"));
    initdb.arg("-D").arg(&data).args(["-A", "trust", "-U", "test", "-E", "UTF8", "--locale=C"]);
    run(unprivileged(initdb.arg("--no-sync")).current_dir("/"));
    std::fs::write(data.join("pg_hba.conf"), ADMISSION).unwrap();
    folder
}

fn fresh_name() -> String {
    format!("t{}", NAMES.fetch_add(1, Ordering::Relaxed))
}
