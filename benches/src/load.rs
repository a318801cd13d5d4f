//! Requests in great number, by wrk.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest that an answer may take before wrk gives it up.
const TIMEOUT: &str = "20s";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Empty,
    Read,
    Refresh,
    Login,
    Register,
    Mixed,
    Peer,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty handler",
            Self::Read => "authenticated read",
            Self::Refresh => "refresh",
            Self::Login => "log in",
            Self::Register => "register",
            Self::Mixed => "mixed",
            Self::Peer => "peer",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Empty => include_str!("../lua/empty.lua"),
            Self::Read => include_str!("../lua/read.lua"),
            Self::Refresh => include_str!("../lua/refresh.lua"),
            Self::Login => include_str!("../lua/login.lua"),
            Self::Register => include_str!("../lua/register.lua"),
            Self::Mixed => include_str!("../lua/mixed.lua"),
            Self::Peer => include_str!("../lua/peer.lua"),
        }
    }
}

/// A load, about to be put on a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) scenario: Scenario,
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    /// Where the server is.
    pub(crate) url: &'a str,
    /// Who asks: a line for each, with both tokens and the address; of a peer, what
    /// is asked.
    pub(crate) people: &'a Path,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    /// Requests that were refused or not answered.
    pub(crate) wrong: u64,
}

impl Figures {
    pub(crate) fn per_second(&self) -> f64 {
        as_f64(self.requests.saturating_sub(self.wrong)) / self.took.as_secs_f64()
    }
}

/// Counts of a benchmark are far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "counts of seconds, not of centuries")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// A load that is under way.
pub(crate) struct Running {
    child: Child,
    _script: tempfile::TempPath,
}

impl Load<'_> {
    pub(crate) fn run(self) -> Figures {
        self.start().end()
    }

    pub(crate) fn start(self) -> Running {
        let threads = self.connections.min(2);
        let script = [include_str!("../lua/report.lua"), self.scenario.script()].concat();
        let path = tempfile::Builder::new().suffix(".lua").tempfile().unwrap().into_temp_path();
        std::fs::write(&path, script).unwrap();
        let child = Command::new(wrk())
            .args(["--latency", "--timeout", TIMEOUT])
            .args(["--threads", &threads.to_string()])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{}s", self.duration.as_secs())])
            .arg("--script")
            .arg(&path)
            .arg(self.url)
            .arg("--")
            .arg(self.people)
            .arg(threads.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, _script: path }
    }
}

impl Running {
    pub(crate) fn end(self) -> Figures {
        let output = self.child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let line = line.unwrap_or_else(|| panic!("wrk says nothing: {text}"));
        let numbers: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
        let micros = Duration::from_micros;
        Figures {
            requests: numbers[0],
            took: micros(numbers[1]),
            median: micros(numbers[2]),
            p99: micros(numbers[3]),
            wrong: numbers[4],
        }
    }
}

fn wrk() -> PathBuf {
    let wrk = PathBuf::from("/usr/bin/wrk");
    assert!(wrk.is_file(), "{} is missing: apt-get install wrk", wrk.display());
    wrk
}
