//! The tables of `docs/timing.md`: what was found, and where.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Storage;
use super::comparison::Row;
use super::timeless::Share;

const BEGIN: &str = "<!-- timing:begin -->\n";
const END: &str = "<!-- timing:end -->";

/// Most that Cliff's delta may be.
const DELTA: f64 = 0.10;
/// Where its interval must lie.
const WITHIN: f64 = 0.147;
/// Where the share of strangers that are answered first must lie.
const SHARE: std::ops::RangeInclusive<f64> = 0.42..=0.58;

/// What was found with one storage.
pub struct Found {
    pub(super) storage: Storage,
    pub(super) rows: Vec<Row>,
    pub(super) timeless: Share,
}

impl Found {
    /// Whether nothing was compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether nothing tells who has an account.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(is_good)
            && (self.timeless.pairs == 0 || SHARE.contains(&self.timeless.value()))
    }
}

fn is_good(row: &Row) -> bool {
    row.delta.abs() <= DELTA && row.interval.low >= -WITHIN && row.interval.high <= WITHIN
}

fn mark(is_good: bool) -> &'static str {
    if is_good { "✓" } else { "✗" }
}

/// Where it is kept.
#[must_use]
pub fn file() -> PathBuf {
    crate::conformance::root().join("docs/timing.md")
}

/// Writes the tables into the page, between its marks; `remark` is a sentence
/// about the circumstances.
///
/// # Errors
/// When it cannot be read or written, or has no marks.
pub fn write(found: &[Found], remark: &str) -> std::io::Result<()> {
    let page = std::fs::read_to_string(file())?;
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or_else(|| std::io::Error::other("the marks are missing"))?;
    let tables = tables(found, remark);
    std::fs::write(file(), format!("{before}{BEGIN}\n{tables}\n\n{END}{after}"))
}

/// The circumstances and what was found in them.
#[must_use]
pub fn tables(found: &[Found], remark: &str) -> String {
    let mut page = String::new();
    let remark = if remark.is_empty() { String::new() } else { format!(" {remark}") };
    writeln!(page, "{}{remark}\n", circumstances()).unwrap();
    for one in found {
        let (name, rounds) = (one.storage.name(), one.storage.rounds());
        writeln!(page, "### On {name}, bcrypt cost {rounds}\n\n{TABLE}").unwrap();
        for row in &one.rows {
            writeln!(page, "{}", line(row)).unwrap();
        }
        let share = one.timeless;
        if share.pairs == 0 {
            page.push('\n');
            continue;
        }
        writeln!(
            page,
            "\nPairs in one packet: of {} the stranger was answered first in {}, a share of {:.3} {}.\n",
            share.pairs,
            share.first,
            share.value(),
            mark(SHARE.contains(&share.value()))
        )
        .unwrap();
    }
    page.truncate(page.trim_end().len());
    page
}

fn line(row: &Row) -> String {
    let (stranger, account) = row.medians;
    format!(
        "| {} | {} | {:.3} | {:.3} | {:+.0} | {:+.3} | {:+.3} … {:+.3} | {:.2} | {:+.2} | {} |",
        row.what,
        row.pairs,
        stranger * 1e3,
        account * 1e3,
        (account - stranger) * 1e6,
        row.delta,
        row.interval.low,
        row.interval.high,
        row.p,
        row.sensitivity,
        mark(is_good(row))
    )
}

/// The machine, the version and the day.
fn circumstances() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(", ");
    let (day, kernel) = (said("date", &["-u", "+%F"]), said("uname", &["-sr"]));
    let commit = said("git", &["describe", "--always", "--dirty"]);
    format!(
        "On {day}, at commit {commit}, release build, {kernel}, {cores} cores of {model}; load \
         average at the end {load}."
    )
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(Path::new(".")).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

const TABLE: &str = "\
| pair | pairs | stranger, ms | account, ms | difference, µs | delta | 95 % interval | p | if 0.5 ms | |
|---|---:|---:|---:|---:|---:|---|---:|---:|:-:|";
