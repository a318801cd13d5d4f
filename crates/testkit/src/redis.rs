//! Throw-away Redis: alone, as a cluster, and watched by sentinels.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::Certificates;
use crate::child::{Server, folder, lend, program, run, until};
use crate::port::free_port;

/// A Redis server that keeps nothing.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    port: u16,
    scheme: &'static str,
}

static SHARED: OnceLock<Redis> = OnceLock::new();

fn server(port: u16, arguments: &[&str]) -> Server {
    server_in(folder("portcullis-redis-"), port, arguments)
}

fn server_in(folder: TempDir, port: u16, arguments: &[&str]) -> Server {
    let mut all: Vec<String> = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        .into_iter()
        .map(str::to_owned)
        .collect();
    all.extend(["--dir".to_owned(), folder.path().display().to_string()]);
    if !arguments.contains(&"--port") {
        all.extend(["--port".to_owned(), port.to_string()]);
    }
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let mut server = Server::spawn(folder, &redis_program("redis-server"), &all);
    server.wait_until(|| listens(port));
    server
}

fn redis_program(name: &str) -> std::path::PathBuf {
    program(name, &[], "redis-server redis-sentinel redis-tools")
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn cli(port: u16, arguments: &[&str]) -> String {
    let mut command = Command::new(redis_program("redis-cli"));
    run(command.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(arguments))
}

impl Redis {
    /// The server that all tests of this process share, started at first use.
    #[must_use]
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start)
    }

    /// A server of one's own.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with further arguments of `redis-server`.
    #[must_use]
    pub fn start_with(arguments: &[&str]) -> Self {
        let port = free_port();
        Self { server: server(port, arguments), port, scheme: "redis" }
    }

    /// A server that speaks TLS only.
    #[must_use]
    pub fn start_with_tls(certificates: &Certificates) -> Self {
        let (folder, port) = (folder("portcullis-redis-"), free_port());
        let lent = |file: &Path| lend(folder.path(), file).display().to_string();
        let certificate = lent(&certificates.certificate());
        let key = lent(&certificates.key());
        let port_text = port.to_string();
        let arguments = [
            "--port",
            "0",
            "--tls-port",
            port_text.as_str(),
            "--tls-auth-clients",
            "no",
            "--tls-cert-file",
            certificate.as_str(),
            "--tls-key-file",
            key.as_str(),
        ];
        Self { server: server_in(folder, port, &arguments), port, scheme: "rediss" }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// Its port, on the loopback address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command of it; returns the answer.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> String {
        cli(self.port, arguments)
    }

    /// Lets the server do nothing at all, or go on.
    pub fn hang(&self, hangs: bool) {
        self.server.signal(if hangs { "STOP" } else { "CONT" });
    }

    /// Ends the server at once.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again, on the same port and folder, as empty as its folder is.
    pub fn start_again(&mut self) {
        self.server.start_again();
        self.server.wait_until(|| listens(self.port));
    }
}

/// Three Redis servers that share the keys among them.
#[derive(Debug)]
pub struct RedisCluster(Vec<Redis>);

impl RedisCluster {
    /// Starts the three and waits until they agree.
    #[must_use]
    pub fn start() -> Self {
        let nodes: Vec<Redis> = (0..3)
            .map(|_| {
                let bus = free_port().to_string();
                let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
                Redis::start_with(&[&arguments[..], &["--cluster-port", &bus]].concat())
            })
            .collect();
        let addresses: Vec<String> =
            nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        let mut create = Command::new(redis_program("redis-cli"));
        run(create.args(["--cluster", "create", "--cluster-yes"]).args(addresses));
        let agrees =
            |node: &Redis| cli(node.port, &["cluster", "info"]).contains("cluster_state:ok");
        until("the nodes agree", || nodes.iter().all(agrees));
        Self(nodes)
    }

    /// The addresses of its nodes, by commas.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.iter().map(Redis::url).collect::<Vec<_>>().join(",")
    }
}

/// A primary, its replica, and the sentinel that watches them.
#[derive(Debug)]
pub struct RedisSentinel {
    primary: Redis,
    replica: Redis,
    sentinel: Redis,
}

impl RedisSentinel {
    /// Starts the three and waits until the sentinel knows the replica.
    #[must_use]
    pub fn start() -> Self {
        let primary = Redis::start();
        let port = primary.port.to_string();
        let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]);
        let sentinel_port = free_port();
        let folder = folder("portcullis-sentinel-");
        let file = folder.path().join("sentinel.conf");
        let mut text = std::fs::File::create(&file).unwrap();
        writeln!(text, "port {sentinel_port}\nbind 127.0.0.1").unwrap();
        writeln!(text, "sentinel monitor portcullis 127.0.0.1 {port} 1").unwrap();
        writeln!(text, "sentinel down-after-milliseconds portcullis 500").unwrap();
        writeln!(text, "sentinel failover-timeout portcullis 3000").unwrap();
        drop(text);
        crate::child::give_away(&file);
        let arguments = [file.display().to_string(), "--sentinel".to_owned()];
        let mut server = Server::spawn(folder, &redis_program("redis-server"), &arguments);
        server.wait_until(|| {
            listens(sentinel_port)
                && cli(sentinel_port, &["sentinel", "replicas", "portcullis"]).contains("slave")
        });
        let sentinel = Redis { server, port: sentinel_port, scheme: "redis" };
        Self { primary, replica, sentinel }
    }

    /// The address of the service that the sentinel watches.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/portcullis", self.sentinel.port)
    }

    /// Ends the primary; the sentinel makes the replica the next one.
    pub fn stop_primary(&mut self) {
        self.primary.stop();
    }

    /// Waits until the replica is the primary.
    pub fn wait_for_failover(&self) {
        until("the replica is the primary", || {
            cli(self.replica.port, &["role"]).contains("master")
        });
    }
}
