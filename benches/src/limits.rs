//! What the machine can do at best.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portcullis_testkit::free_port;
use portcullis_tests::cpu_time_of;

use crate::load::{Figures, Load, Scenario};
use crate::site::Site;

/// A program that is built beside this one.
fn neighbour(name: &str) -> Command {
    let own = std::env::current_exe().unwrap();
    let path = own.with_file_name(name);
    assert!(path.is_file(), "{} is missing: see `just bench`", path.display());
    Command::new(path)
}

/// A server that does nothing, ended with the value.
struct Empty(Child);

impl Drop for Empty {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A handler that does nothing, and what a request of it takes from the processor,
/// in microseconds.
pub(crate) fn empty_handler(connections: usize, duration: Duration) -> (Figures, f64) {
    let port = free_port();
    let child = neighbour("empty-handler").arg(port.to_string()).spawn().unwrap();
    let empty = Empty(child);
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(10), "it does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let url = format!("http://127.0.0.1:{port}");
    let nobody = tempfile::NamedTempFile::new().unwrap();
    let load =
        Load { scenario: Scenario::Empty, connections, duration, url: &url, people: nobody.path() };
    let before = cpu_time_of(empty.0.id());
    let figures = load.run();
    let spent = cpu_time_of(empty.0.id()).saturating_sub(before);
    (figures, spent.as_secs_f64() * 1e6 / crate::load::as_f64(figures.requests.max(1)))
}

/// Hashes per second of the bcrypt crate on all cores, at cost 12.
pub(crate) fn bare_bcrypt(duration: Duration) -> f64 {
    let output = neighbour("bare-bcrypt").arg(duration.as_secs().to_string()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

/// Selects of one row per second, by pgbench.
pub(crate) fn single_row_selects(site: &Site, connections: usize, duration: Duration) -> f64 {
    let mut script = tempfile::NamedTempFile::new().unwrap();
    let select = "\\set number random(1, 10000)\nSELECT id FROM users WHERE number = :number;\n";
    std::io::Write::write_all(&mut script, select.as_bytes()).unwrap();
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &connections.to_string()])
        .args(["-T", &duration.as_secs().to_string(), "-f"])
        .arg(script.path())
        .arg(site.database())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split(' ').next()?.parse().ok());
    number.unwrap_or_else(|| panic!("pgbench says: {text}"))
}
