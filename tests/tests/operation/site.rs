//! A database, for servers and for commands beside them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use portcullis_testkit::Postgres;
use portcullis_tests::{Outcome, Server, program, run};
use serde_json::Value;
use tempfile::TempDir;

/// Settings that lead to one database.
pub(crate) struct Site {
    settings: Vec<(String, String)>,
    folder: TempDir,
}

impl Site {
    /// A file that is not there yet.
    pub(crate) fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = format!("sqlite://{}/portcullis.db", folder.path().display());
        Self { settings: Vec::new(), folder }.with("DATABASE_URL", &file).with("BCRYPT_ROUNDS", "4")
    }

    /// A new database of the Postgres that all tests share.
    pub(crate) fn on_postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { settings: Vec::new(), folder }
            .with("DATABASE_URL", &Postgres::shared().empty_database())
            .with("SECRET_KEY", "a secret that all instances share")
            .with("PUBLIC_URL", "https://auth.example.com")
            // The least that is allowed with Postgres.
            .with("BCRYPT_ROUNDS", "10")
    }

    /// The same, with one more setting.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The folder in which commands run; the file of SQLite is in it too.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A server on it.
    pub(crate) async fn server(&self) -> Server {
        Server::start_with(&self.settings()).await
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        run(self.folder(), arguments, &self.settings())
    }

    /// Runs a command that must succeed; gives what it wrote to standard output.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert!(outcome.status.success(), "{}", outcome.said());
        outcome.stdout
    }

    /// A command under way.
    pub(crate) fn begun(&self, arguments: &[&str]) -> Child {
        self.launched(&program().to_string_lossy(), arguments)
    }

    /// A program under way, in the folder and with the settings.
    pub(crate) fn launched(&self, program: &str, arguments: &[&str]) -> Child {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Command::new(program)
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", path)
            .env("TERM", "xterm")
            .envs(self.settings())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The addresses of all accounts, in the order of their numbers.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let accounts = self.done(&["users", "export"]);
        let parsed = accounts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        parsed.map(|account| account["email"].as_str().unwrap().to_owned()).collect()
    }

    /// Insists on the demo users from 1 to that number, each once, and nobody else.
    #[track_caller]
    pub(crate) fn has_demo_users(&self, count: usize) {
        let addresses = self.addresses();
        let numbers: BTreeSet<usize> = addresses.iter().filter_map(|a| number_of(a)).collect();
        assert_eq!(addresses.len(), count, "somebody is missing, or there twice");
        assert!(numbers.iter().copied().eq(1..=count), "other numbers");
    }

    /// Runs SQL in Postgres, beside the servers.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let database = self.settings.iter().find(|(name, _)| name == "DATABASE_URL");
        Postgres::shared().sql(&database.unwrap().1, sql).trim().to_owned()
    }

    /// How many accounts are in Postgres.
    pub(crate) fn count(&self) -> usize {
        self.sql("SELECT count(*) FROM users").parse().unwrap()
    }
}

/// The number of a demo user, by the address.
fn number_of(address: &str) -> Option<usize> {
    address.strip_suffix("@demo.example.com")?.rsplit('.').next()?.parse().ok()
}

/// Sends a signal.
pub(crate) fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
