//! A server on Postgres and Redis, and the people who use it.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis, free_port};
use portcullis_tests::{Outcome, PASSWORD, Server, at_once, program, run};
use tempfile::NamedTempFile;

use crate::load::as_f64;

/// Accounts that are there.
const ACCOUNTS: &str = "10000";
/// How many of them use it: more than there are connections that refresh.
const PEOPLE: usize = 160;
/// How many of them log in at the same time.
const AT_ONCE: usize = 16;

/// A server, on which much can be asked in a short time.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) people: NamedTempFile,
    postgres: Postgres,
    redis: Redis,
    database: String,
}

/// What has been used up so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    cpu: Duration,
    statements: u64,
    redis_calls: u64,
}

/// What a request used up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PerRequest {
    pub(crate) cpu_micros: f64,
    pub(crate) statements: f64,
    pub(crate) redis_calls: f64,
}

impl Site {
    pub(crate) async fn open(algorithm: &str) -> Self {
        let postgres = Postgres::start(&[
            "shared_preload_libraries=pg_stat_statements",
            "max_connections=200",
            "shared_buffers=256MB",
            "fsync=on",
        ]);
        let database = postgres.empty_database();
        postgres.sql(&database, "CREATE EXTENSION pg_stat_statements");
        let redis = Redis::start();
        let home = tempfile::tempdir().unwrap();
        let redis_url = redis.url();
        let mut settings = vec![
            ("DATABASE_URL", database.as_str()),
            ("REDIS_URL", redis_url.as_str()),
            ("SECRET_KEY", "secret-of-a-server-that-is-measured"),
            ("PUBLIC_URL", "http://127.0.0.1:{port}"),
            ("BCRYPT_ROUNDS", "12"),
            ("HASHING_PATIENCE", "1m"),
            // Requests are counted, and nobody is refused.
            ("RATE_LIMIT_ENABLED", "true"),
            ("RATE_LIMIT_STRICT", "1000000"),
            ("RATE_LIMIT_DEFAULT", "1000000"),
            ("RATE_LIMIT_USER", "1000000"),
            ("LOCKOUT_THRESHOLD", "1000000"),
            ("LOCKOUT_ACCOUNT_THRESHOLD", "1000000"),
        ];
        let folder = home.path().join("keys").to_str().unwrap().to_owned();
        if algorithm != "HS256" {
            settings.extend([("JWT_ALGORITHM", algorithm), ("JWT_KEYS_DIR", folder.as_str())]);
            succeeds(&run(home.path(), &["keys", "rotate"], &settings_of_commands(&settings)));
        }
        let server = Server::start_in(home, &settings).await;
        let arguments = ["users", "seed", "--count", ACCOUNTS, "--password", PASSWORD];
        succeeds(&run(server.folder(), &arguments, &settings_of_commands(&settings)));
        let emails = postgres
            .sql(&database, &format!("SELECT email FROM users ORDER BY number LIMIT {PEOPLE}"));
        let emails = emails.lines().map(str::trim).filter(|line| !line.is_empty());
        let people = logged_in(&server, emails.map(str::to_owned).collect()).await;
        postgres.sql(&database, "VACUUM ANALYZE");
        Self { server, people, postgres, redis, database }
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.postgres.sql(&self.database, sql).trim().to_owned()
    }

    /// Asks Redis itself.
    pub(crate) fn redis(&self, command: &[&str]) -> String {
        self.redis.command(command)
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// The sessions of those who refresh have moved on: everybody anew.
    pub(crate) async fn log_everybody_in(&mut self) {
        let text = std::fs::read_to_string(self.people.path()).unwrap();
        let emails = text.lines().filter_map(|line| line.rsplit(' ').next());
        self.people = logged_in(&self.server, emails.map(str::to_owned).collect()).await;
    }

    /// A database beside that of the server.
    pub(crate) fn empty_database(&self) -> String {
        self.postgres.empty_database()
    }

    /// What all databases were asked so far.
    pub(crate) fn statements(&self) -> u64 {
        let statements = self.sql(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
             WHERE query NOT LIKE '%pg_stat_statements%'",
        );
        statements.parse().unwrap()
    }

    pub(crate) fn used(&self) -> Used {
        // The server calls scripts and nothing else.
        let stats = self.redis(&["INFO", "commandstats"]);
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        let calls = calls.and_then(|line| line.split(',').next());
        Used {
            cpu: self.server.cpu_time(),
            statements: self.statements(),
            redis_calls: calls.unwrap_or("0").parse().unwrap(),
        }
    }

    /// What each of so many requests used up since then.
    pub(crate) fn per_request(&self, before: Used, requests: u64) -> PerRequest {
        let (now, requests) = (self.used(), as_f64(requests.max(1)));
        PerRequest {
            cpu_micros: now.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6 / requests,
            statements: as_f64(now.statements - before.statements) / requests,
            redis_calls: as_f64(now.redis_calls - before.redis_calls) / requests,
        }
    }
}

/// The settings without the server's own address, in which its port stands.
fn settings_of_commands<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all = settings.iter().copied();
    all.filter(|(name, _)| *name != "PUBLIC_URL")
        .chain([("PUBLIC_URL", "http://127.0.0.1:8000")])
        .collect()
}

#[track_caller]
fn succeeds(outcome: &Outcome) {
    assert!(outcome.status.success(), "{}", outcome.said());
}

/// The tokens of people who log in, a line for each: some at a time, as many as the
/// server's queue for passwords surely takes.
async fn logged_in(server: &Server, emails: Vec<String>) -> NamedTempFile {
    let mut people = NamedTempFile::new().unwrap();
    for group in emails.chunks(AT_ONCE) {
        let lines = at_once(group.len(), |number| {
            let (anonymous, email) = (server.anonymous(), group[number].clone());
            async move {
                let answer = anonymous.log_in(&email, PASSWORD).await;
                answer.is(200);
                let caller = anonymous.with_tokens_of(&answer);
                format!("{} {} {email}\n", caller.access, caller.refresh)
            }
        });
        people.write_all(lines.await.concat().as_bytes()).unwrap();
    }
    people
}

/// How long it takes from nothing to the first answer, on the embedded database: the
/// very first start, which makes it, and the next one.
pub(crate) fn cold_starts() -> [Duration; 2] {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    std::array::from_fn(|_| {
        let started = Instant::now();
        let mut child = Command::new(program())
            .current_dir(folder.path())
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !answers(port) {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = started.elapsed();
        child.kill().unwrap();
        child.wait().unwrap();
        took
    })
}

fn answers(port: u16) -> bool {
    use std::io::Read;
    let Ok(mut connection) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let mut head = [0; 12];
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").is_ok()
        && connection.read_exact(&mut head).is_ok()
        && &head == b"HTTP/1.1 200"
}
