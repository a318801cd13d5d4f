//! Other services for the same purpose, on the same Postgres, under the same load.

use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_testkit::free_port;
use portcullis_tests::{PASSWORD, RawAnswer};
use tempfile::NamedTempFile;

use crate::load::{Figures, Load, Scenario, as_f64};
use crate::site::Site;

/// Where they are installed, and where their programs are.
const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers");
const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// People who use a peer, as many as use ours.
const PEOPLE: usize = 160;
/// Those who register while it is measured: more than any peer manages.
const NEWCOMERS: usize = 20_000;
const CONNECTIONS: usize = 32;

/// A service, and how it is asked.
struct Peer {
    name: &'static str,
    /// The program that runs it, and what it runs.
    command: fn() -> Command,
    register: (&'static str, fn(email: &str) -> String),
    login: (&'static str, &'static str, fn(email: &str) -> String),
    /// What stands before the token in the answer to a login.
    token: &'static str,
    read: &'static str,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

const PEERS: [Peer; 2] = [
    Peer {
        name: "fastapi-users",
        command: || {
            let mut command = Command::new(format!("{INSTALLED}/python/bin/python"));
            command.arg("fastapi_users_server.py").current_dir(PROGRAMS);
            command
        },
        register: ("/auth/register", |email| {
            format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#)
        }),
        login: ("/auth/jwt/login", FORM, |email| {
            format!("username={email}&password={}", PASSWORD.replace('!', "%21"))
        }),
        token: "\"access_token\":\"",
        read: "/users/me",
    },
    Peer {
        name: "better-auth",
        command: || {
            // Node looks for packages beside the program.
            let program = PathBuf::from(INSTALLED).join("better_auth_server.mjs");
            fs::copy(Path::new(PROGRAMS).join("better_auth_server.mjs"), &program).unwrap();
            let mut command = Command::new(format!("{INSTALLED}/node/bin/node"));
            command.arg(program).env("NODE_ENV", "production");
            command
        },
        register: ("/api/auth/sign-up/email", |email| {
            format!(r#"{{"email":"{email}","password":"{PASSWORD}","name":"Ann Lee"}}"#)
        }),
        login: ("/api/auth/sign-in/email", JSON, |email| {
            format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#)
        }),
        token: "\"token\":\"",
        read: "/api/auth/get-session",
    },
];

/// What a load on a peer showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerMeasured {
    pub(crate) peer: &'static str,
    pub(crate) scenario: Scenario,
    pub(crate) connections: usize,
    pub(crate) figures: Figures,
    pub(crate) cpu_micros: f64,
    pub(crate) statements: f64,
}

/// Reads, logins and registrations of each. Nothing when they are not installed.
pub(crate) fn measure(site: &Site, duration: Duration) -> Vec<PeerMeasured> {
    if !Path::new(INSTALLED).join("node_modules/better-auth").exists() {
        eprintln!("there are no peers: `bash benches/peers/install.sh` installs them");
        return Vec::new();
    }
    let mut measured = Vec::new();
    for peer in &PEERS {
        eprintln!("== {}", peer.name);
        let running = Running::start(peer, &site.empty_database());
        let tokens = running.people();
        for (scenario, requests) in [
            (Scenario::Read, peer.reads(&tokens)),
            (Scenario::Login, peer.logins()),
            (Scenario::Register, peer.registrations(NEWCOMERS)),
        ] {
            measured.push(running.under(site, scenario, &requests, duration));
        }
    }
    measured
}

impl Peer {
    fn reads(&self, tokens: &[String]) -> String {
        let line = |token: &String| format!("GET\t{}\t-\t{token}\t-\n", self.read);
        tokens.iter().map(line).collect()
    }

    fn logins(&self) -> String {
        let (path, kind, body) = self.login;
        (0..PEOPLE).fold(String::new(), |mut lines, number| {
            let _ = writeln!(lines, "POST\t{path}\t{kind}\t-\t{}", body(&person(number)));
            lines
        })
    }

    fn registrations(&self, count: usize) -> String {
        let (path, body) = self.register;
        (0..count).fold(String::new(), |mut lines, number| {
            let email = format!("newcomer-{number}@example.com");
            let _ = writeln!(lines, "POST\t{path}\t{JSON}\t-\t{}", body(&email));
            lines
        })
    }
}

fn person(number: usize) -> String {
    format!("person-{number}@example.com")
}

/// A peer that runs, ended with the value.
struct Running<'a> {
    peer: &'a Peer,
    child: Child,
    port: u16,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        for process in tree_of(self.child.id()) {
            let _ = Command::new("kill").arg("-9").arg(process.to_string()).status();
        }
        drop(self.child.wait());
    }
}

impl<'a> Running<'a> {
    fn start(peer: &'a Peer, database: &str) -> Self {
        let port = free_port();
        let child = (peer.command)()
            .env("DATABASE_URL", database)
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let running = Self { peer, child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "{} does not start", peer.name);
            std::thread::sleep(Duration::from_millis(50));
        }
        // All of its processes.
        std::thread::sleep(Duration::from_secs(3));
        running
    }

    /// Registers people and logs them in; their tokens.
    fn people(&self) -> Vec<String> {
        let (register, register_body) = self.peer.register;
        let (login, kind, login_body) = self.peer.login;
        let one = |number: usize| {
            let email = person(number);
            self.ask(register, JSON, &register_body(&email));
            let answer = self.ask(login, kind, &login_body(&email));
            let token =
                answer.split_once(self.peer.token).and_then(|(_, rest)| rest.split_once('"'));
            token.unwrap_or_else(|| panic!("no token: {answer}")).0.to_owned()
        };
        (0..PEOPLE).map(one).collect()
    }

    fn ask(&self, path: &str, kind: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n",
            self.port,
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).unwrap();
        let answer = RawAnswer::rest_of(&mut stream);
        assert!(matches!(answer.status(), Some(200 | 201)), "{path}: {}", answer.text);
        answer.text
    }

    fn under(
        &self,
        site: &Site,
        scenario: Scenario,
        requests: &str,
        duration: Duration,
    ) -> PeerMeasured {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(requests.as_bytes()).unwrap();
        let url = format!("http://127.0.0.1:{}", self.port);
        let is_hashing = matches!(scenario, Scenario::Login | Scenario::Register);
        let duration = if is_hashing { duration.max(Duration::from_secs(15)) } else { duration };
        let load = Load {
            scenario: Scenario::Peer,
            connections: CONNECTIONS,
            duration,
            url: &url,
            people: file.path(),
        };
        if scenario == Scenario::Read {
            Load { duration: Duration::from_secs(1), ..load }.run();
        }
        let cpu = || tree_of(self.child.id()).into_iter().map(cpu_time_of_all).sum::<Duration>();
        let (cpu_before, statements_before) = (cpu(), site.statements());
        let figures = load.run();
        let (cpu, statements) =
            (cpu().saturating_sub(cpu_before), site.statements() - statements_before);
        let requests = as_f64(figures.requests.max(1));
        PeerMeasured {
            peer: self.peer.name,
            scenario,
            connections: CONNECTIONS,
            figures,
            cpu_micros: cpu.as_secs_f64() * 1e6 / requests,
            statements: as_f64(statements) / requests,
        }
    }
}

/// What a process has spent on a processor so far, with threads that have ended: some
/// hash each password in threads of its own.
fn cpu_time_of_all(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Its name comes first, and may hold anything (proc_pid_stat(5)): utime and stime
    // are the 12th and the 13th after it, in hundredths of a second.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = after_name.split_whitespace().skip(11).take(2);
    let ticks = times.filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// A process and all that it has started.
fn tree_of(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(parent) = all.get(next).copied() {
        next += 1;
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}
