//! `docs/timing.md`: what was found, where, and what it means.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Storage;
use super::comparison::Row;
use super::timeless::Share;

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

/// Writes the page; `remark` is a sentence about the circumstances.
///
/// # Errors
/// When it cannot be written.
pub fn write(found: &[Found], remark: &str) -> std::io::Result<()> {
    let mut page = String::from(HEAD);
    let remark = if remark.is_empty() { String::new() } else { format!(" {remark}") };
    writeln!(page, "## Found\n\n{}{remark}\n", circumstances()).unwrap();
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
    std::fs::write(file(), page + "\n")
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

const HEAD: &str = "\
# Does the time of an answer tell who has an account?

`just timing --postgres` measures it and writes this page; do not edit it. `just timing --help` tells
more. It is no test of every run, since it needs a quiet machine; that every state of an account costs
the same statements and the same hashes is one: `en_02_en_03_en_08_…` in
[`indistinguishable.rs`](../tests/tests/production/indistinguishable.rs).

## How it is measured

The release build serves on this machine. Two requests make a pair: one about a *stranger*, an address
that nobody has, and one about an *account* in some state. They go over one open connection, one after
the other, in random order; the comparisons take turns in random order too. Whatever else the machine
does meets both alike. No address is tried more than four times, so no lock begins and no mail is
withheld; locked names are compared with locked strangers. Hashes are the cheapest that the settings
allow: what a costly hash would hide shows all the sooner. Registration hides what is taken
(`REGISTRATION_DISCLOSURE=hide`), and the mail server takes two seconds for each mail.

For *pairs in one packet* two connections hold a login each, whole but for its last byte; the last
bytes follow each other within microseconds, and what counts is which answer comes first. Delays of a
network fall out of that.

## How to read it

* **delta** is Cliff's: how likely an account takes longer than a stranger, less how likely it takes
  less. 0 tells nothing, ±1 everything. Up to 0.147 is called negligible; here it must be within ±0.10,
  and its 95 % interval (2000 bootstrap samples of the pairs) within ±0.147.
* **p** is of the Wilcoxon signed-rank test of the pairs: a small one says that there is some difference,
  however slight; delta says how much of it there is. With no difference at all one in twenty is below
  0.05.
* **if 0.5 ms** is what delta would be if every account took half a millisecond longer: how sharp the
  experiment was.
* The **control** compares strangers with strangers: what it shows is noise.
* Of the pairs in one packet the stranger must come first in 0.42 to 0.58.

";
