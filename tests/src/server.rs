//! A server of one's own.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use portcullis_testkit::free_port;
use tempfile::TempDir;

use crate::program::{command, owned};
use crate::{Anonymous, Connection, Mailbox, RawAnswer};

/// The password of everybody in these tests, unless a test says otherwise.
pub const PASSWORD: &str = "SecurePass123!";
/// The name of everybody in these tests, unless a test says otherwise.
pub const NAME: &str = "Ann Mary Lee";

/// How long a server may take to be healthy.
const START: Duration = Duration::from_secs(20);
/// How long a server may take to stop: its own grace and a little.
const STOP: Duration = Duration::from_secs(40);

/// The program, serving on a port of its own, with its data in a folder of its
/// own. Both end with the value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    launcher: Vec<String>,
}

impl Server {
    /// Starts a server with cheap hashes and without rate limits.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts a server with other settings too; `{port}` in a value is its port,
    /// and an empty value takes the setting away.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), settings).await
    }

    /// Starts a server in a folder that holds something already.
    pub async fn start_in(folder: TempDir, settings: &[(&str, &str)]) -> Self {
        Self::launch(folder, &[], settings).await
    }

    /// Starts a server by another program, which is given the server's command
    /// line after its own and becomes it: `["nice", "-n", "5"]`. A shell decides
    /// first what the server inherits: `["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]`.
    pub async fn start_by(launcher: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::launch(tempfile::tempdir().unwrap(), launcher, settings).await
    }

    async fn launch(folder: TempDir, launcher: &[&str], settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let database = format!("sqlite://{}/data/portcullis.db", folder.path().display());
        let port_text = port.to_string();
        let mut all = owned(&[
            ("HOST", "127.0.0.1"),
            ("PORT", &port_text),
            ("DATABASE_URL", &database),
            ("BCRYPT_ROUNDS", "4"),
            ("RATE_LIMIT_ENABLED", "false"),
            ("LOG_LEVEL", "info"),
        ]);
        override_with(&mut all, settings, port);
        let launcher: Vec<String> = launcher.iter().map(|&word| word.to_owned()).collect();
        let child = spawn(folder.path(), &launcher, &all);
        let mut server = Self { child, folder, port, settings: all, launcher };
        server.is_healthy().await;
        server
    }

    /// Kills the server and starts it again on the same data and port.
    pub async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    /// The same, with these settings changed.
    pub async fn restart_with(&mut self, settings: &[(&str, &str)]) {
        self.kill();
        override_with(&mut self.settings, settings, self.port);
        self.child = spawn(self.folder.path(), &self.launcher, &self.settings);
        self.is_healthy().await;
    }

    /// The same, by another launcher from now on, or by none.
    pub async fn restart_by(&mut self, launcher: &[&str]) {
        self.launcher = launcher.iter().map(|&word| word.to_owned()).collect();
        self.restart().await;
    }

    /// The same, with nobody at the other end of its log.
    pub async fn restart_unread(&mut self) {
        self.kill();
        let mut command = command(self.folder.path(), &[], &self.settings);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        self.child = child.unwrap();
        drop(self.child.stderr.take());
        self.is_healthy().await;
    }

    async fn is_healthy(&mut self) {
        let (anonymous, started) = (self.anonymous(), Instant::now());
        loop {
            let health = anonymous.if_any("/health").await;
            if health.is_ok_and(|answer| answer.status == 200) {
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended ({status}):\n{}", self.log());
            }
            assert!(started.elapsed() < START, "the server is not healthy:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the server at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        self.child.wait().unwrap();
    }

    /// Whether the server's process has ended, by itself or by somebody else.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Asks the server to stop (SIGTERM), and does not wait.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until the server that was asked to stop has stopped.
    pub async fn stopped(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < STOP, "the server does not stop:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks the server to stop and waits for its end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.stopped().await
    }

    /// The address of the server, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The id of its process: another after a restart.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder in which the server runs; its data is in `data`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("server.log")).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Somebody who is not logged in.
    #[must_use]
    pub fn anonymous(&self) -> Anonymous {
        Anonymous::at(self.url())
    }

    /// The mailbox of everybody.
    #[must_use]
    pub fn mailbox(&self) -> Mailbox {
        Mailbox::of(self.anonymous())
    }

    /// A connection that stays open.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::to(self.port)
    }

    /// Sends bytes as they are and reads until the server closes.
    #[must_use]
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> RawAnswer {
        RawAnswer::to(self.port, bytes.as_ref())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn override_with(all: &mut Vec<(String, String)>, settings: &[(&str, &str)], port: u16) {
    for (name, value) in settings {
        all.retain(|(known, _)| known != name);
        if !value.is_empty() {
            all.push(((*name).to_owned(), value.replace("{port}", &port.to_string())));
        }
    }
}

fn spawn(folder: &Path, launcher: &[String], settings: &[(String, String)]) -> Child {
    let log = File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    let errors = log.try_clone().unwrap();
    let mut command = command(folder, launcher, settings);
    command.arg("serve").stdout(log).stderr(errors).spawn().unwrap()
}
