//! Tables of what was measured.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::curve::{Curve, RowSize};
use crate::load::{Figures, Scenario};
use crate::peers::PeerMeasured;
use crate::site::PerRequest;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");
const BEGIN: &str = "<!-- bench:begin -->\n";
const END: &str = "<!-- bench:end -->";

/// A load and what it showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) scenario: Scenario,
    pub(crate) connections: usize,
    pub(crate) figures: Figures,
    pub(crate) per_request: PerRequest,
    pub(crate) resident_kib: u64,
    /// What an empty handler takes from the processor, in microseconds; beside reads,
    /// as it was a moment before over as many connections.
    pub(crate) empty_micros: f64,
}

impl Measured {
    /// How many empty handlers a request takes.
    pub(crate) fn in_empty_handlers(&self) -> f64 {
        self.per_request.cpu_micros / self.empty_micros
    }
}

/// Everything that was measured in one run.
pub(crate) struct Report {
    machine: String,
    pub(crate) empty: (Figures, f64),
    pub(crate) bare_bcrypt: f64,
    pub(crate) selects: f64,
    pub(crate) cold_starts: [Duration; 2],
    pub(crate) idle_kib: u64,
    pub(crate) rows: Vec<Measured>,
    pub(crate) storm: Option<[Measured; 2]>,
    pub(crate) peers: Vec<PeerMeasured>,
    pub(crate) algorithms: Vec<(&'static str, Measured)>,
    pub(crate) curves: Vec<Curve>,
    pub(crate) row_sizes: Vec<RowSize>,
}

impl Report {
    pub(crate) fn of_this_machine() -> Self {
        Self {
            machine: machine(),
            empty: (Figures::default(), 0.0),
            bare_bcrypt: 0.0,
            selects: 0.0,
            cold_starts: [Duration::ZERO; 2],
            idle_kib: 0,
            rows: Vec::new(),
            storm: None,
            peers: Vec::new(),
            algorithms: Vec::new(),
            curves: Vec::new(),
            row_sizes: Vec::new(),
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.machine);
        let (empty, empty_micros) = &self.empty;
        text += "| the machine's own limits | |\n|---|---|\n";
        let _ = writeln!(
            text,
            "| an empty actix handler, 32 connections | {:.0} requests/s, {empty_micros:.1} µs of CPU each |\n\
             | the bcrypt crate in a bare loop on every core, cost 12 | {:.2} hashes/s |\n\
             | pgbench, a row by its index, prepared, 32 connections | {:.0} selects/s |\n",
            empty.per_second(),
            self.bare_bcrypt,
            self.selects,
        );
        text += "| request | connections | requests/s | p50 | p99 | CPU of the server, µs | × empty handler | statements | Redis calls | memory of its own, MiB | not answered as hoped |\n\
                 |---|---|---|---|---|---|---|---|---|---|---|\n";
        for row in &self.rows {
            Self::line(&mut text, row.scenario.name(), row);
        }
        for (algorithm, row) in &self.algorithms {
            Self::line(&mut text, &format!("{}, {algorithm}", row.scenario.name()), row);
        }
        let _ = writeln!(text);
        self.ratios(&mut text);
        self.beside_peers(&mut text);
        for Curve { grows, cost, points } in &self.curves {
            let _ =
                writeln!(text, "\n| {grows} | {cost}, µs | what a client waits |\n|---|---|---|");
            for point in points {
                let waited = told(point.median);
                let _ = writeln!(text, "| {} | {:.0} | {waited} |", point.count, point.micros);
            }
        }
        if !self.row_sizes.is_empty() {
            text +=
                "\n| table | rows | bytes of a row | of its index entries |\n|---|---|---|---|\n";
            for RowSize { table, rows, of_table, of_indexes } in &self.row_sizes {
                let _ = writeln!(text, "| {table} | {rows} | {of_table} | {of_indexes} |");
            }
        }
        text
    }

    fn line(text: &mut String, name: &str, row: &Measured) {
        let Measured { connections, figures, per_request, resident_kib, .. } = row;
        let _ = writeln!(
            text,
            "| {name} | {connections} | {:.0} | {} | {} | {:.0} | {:.1} | {:.2} | {:.2} | {} | {} |",
            figures.per_second(),
            told(figures.median),
            told(figures.p99),
            per_request.cpu_micros,
            row.in_empty_handlers(),
            per_request.statements,
            per_request.redis_calls,
            resident_kib / 1024,
            figures.wrong,
        );
    }

    fn row(&self, scenario: Scenario, connections: usize) -> Option<&Measured> {
        self.rows.iter().find(|row| row.scenario == scenario && row.connections == connections)
    }

    fn beside_peers(&self, text: &mut String) {
        if self.peers.is_empty() {
            return;
        }
        *text += "\n| service | request | connections | requests/s | p50 | p99 | CPU of the service, µs | × ours | statements | not answered as hoped |\n\
                  |---|---|---|---|---|---|---|---|---|---|\n";
        for peer in &self.peers {
            let PeerMeasured { scenario, connections, figures, cpu_micros, .. } = peer;
            let ours = self.row(*scenario, *connections);
            let ratio = ours.map(|ours| cpu_micros / ours.per_request.cpu_micros);
            let _ = writeln!(
                text,
                "| {} | {} | {connections} | {:.0} | {} | {} | {cpu_micros:.0} | {} | {:.2} | {} |",
                peer.peer,
                scenario.name(),
                figures.per_second(),
                told(figures.median),
                told(figures.p99),
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}")),
                peer.statements,
                figures.wrong,
            );
        }
    }

    fn ratios(&self, text: &mut String) {
        *text += "| target | wanted | found |\n|---|---|---|\n";
        let mut say = |target: &str, wanted: &str, found: String| {
            let _ = writeln!(text, "| {target} | {wanted} | {found} |");
        };
        let of = |scenario, connections| self.row(scenario, connections);
        if let Some(read) = of(Scenario::Read, 32) {
            let ratio = read.in_empty_handlers();
            say("CPU of a read, limits on", "≤ 4 × the empty handler", format!("{ratio:.1} ×"));
        }
        for (algorithm, read) in &self.algorithms {
            let ratio = read.in_empty_handlers();
            let target = format!("the same with {algorithm}");
            say(&target, "≤ 4 × the empty handler", format!("{ratio:.1} ×"));
        }
        if let Some(login) = of(Scenario::Login, 32) {
            let ratio = login.figures.per_second() / self.bare_bcrypt;
            say("logins, 32 connections", "≥ 2.5 × the bare loop", format!("{ratio:.2} ×"));
        }
        if let Some([calm, stormy]) = &self.storm {
            let ratio = stormy.figures.p99.as_secs_f64() / calm.figures.p99.as_secs_f64();
            let (calm, stormy) = (told(calm.figures.p99), told(stormy.figures.p99));
            let found = format!("{ratio:.1} × ({calm} without, {stormy} with)");
            say("p99 of reads while 32 connections log in", "≤ 3 × without", found);
        }
        say("memory of its own, idle", "≤ 40 MiB", format!("{} MiB", self.idle_kib / 1024));
        if let Some(read) = of(Scenario::Read, 1000) {
            let found = format!("{} MiB", read.resident_kib / 1024);
            say("memory of its own, 1,000 connections", "≤ 100 MiB", found);
        }
        let [first, next] = self.cold_starts.map(told);
        let found = format!("{next} ({first} the very first time, with migrations)");
        say("cold start to the first answer, embedded", "≤ 100 ms", found);
    }
}

/// A time with three digits or so.
fn told(time: Duration) -> String {
    match time.as_micros() {
        micros @ 0..1_000 => format!("{micros} µs"),
        micros @ 1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        micros => format!("{} ms", micros / 1_000),
    }
}

/// The processor, its cores, the memory, and which commit.
fn machine() -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (cpus, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let kib: u64 = value(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let git = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let commit = git.map(|git| String::from_utf8_lossy(&git.stdout).trim().to_owned());
    let autogroups = match read("/proc/sys/kernel/sched_autogroup_enabled").trim() {
        "" => "",
        "0" => ", autogroups off",
        _ => ", autogroups on",
    };
    format!(
        "Measured on {cores} cores of {}, {} GiB{autogroups}, at commit {}; the load comes from the same machine.",
        value(&cpus, "model name"),
        kib >> 20,
        commit.unwrap_or_default(),
    )
}

/// Puts the tables into their page.
pub(crate) fn write(text: &str) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    std::fs::write(PAGE, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
}
