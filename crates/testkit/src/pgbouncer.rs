//! A throw-away `PgBouncer` before a Postgres.

use std::net::TcpStream;

use crate::Postgres;
use crate::child::{Server, folder, give_away, program};
use crate::port::free_port;

/// For how long a client has a connection to Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// Until it leaves.
    Session,
    /// Until its transaction ends.
    Transaction,
}

/// A connection pooler before a Postgres.
#[derive(Debug)]
pub struct PgBouncer {
    _server: Server,
    port: u16,
}

impl PgBouncer {
    /// Starts one that drops these start-up parameters (separated by commas)
    /// instead of refusing whoever sends them.
    #[must_use]
    pub fn start(postgres: &Postgres, mode: PoolMode, dropped: &str) -> Self {
        let (folder, port) = (folder("portcullis-pgbouncer-"), free_port());
        let users = folder.path().join("users.txt");
        std::fs::write(&users, "\"test\" \"\"\n").unwrap();
        let mode = match mode {
            PoolMode::Session => "session",
            PoolMode::Transaction => "transaction",
        };
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = {mode}\nignore_startup_parameters = {dropped}\n",
            postgres.port(),
            users.display(),
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        for path in [&users, &file] {
            give_away(path);
        }
        let arguments = [file.display().to_string()];
        let mut server = Server::spawn(folder, &program("pgbouncer", &[], "pgbouncer"), &arguments);
        server.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { _server: server, port }
    }

    /// The address of a database through it, given the address without it.
    #[must_use]
    pub fn url(&self, direct: &str) -> String {
        let database = direct.rsplit('/').next().unwrap_or_default();
        format!("postgres://test@127.0.0.1:{}/{database}", self.port)
    }
}
