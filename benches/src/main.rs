//! How fast the server is, beside what the machine can do; writes the tables of
//! `docs/performance.md`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]

mod curve;
mod limits;
mod load;
mod peers;
mod report;
mod site;

use std::time::Duration;

use clap::Parser;
use load::{Load, Scenario};
use report::{Measured, Report};
use site::Site;

/// What is asked, and over how many connections.
const LOADS: &[(Scenario, &[usize])] = &[
    (Scenario::Read, &[1, 32, 128, 1000]),
    (Scenario::Refresh, &[1, 32, 128]),
    (Scenario::Login, &[1, 32]),
    (Scenario::Register, &[1, 32]),
    (Scenario::Mixed, &[1, 32, 128]),
];

/// How often reads and the empty handler take turns.
const TURNS: u32 = 5;

/// Measures the server that `PORTCULLIS_PROGRAM` names (`just bench` builds it for
/// release) on a Postgres and a Redis of its own, under load by wrk, and prints tables.
/// The machine should have nothing else to do.
#[derive(Parser)]
struct Plan {
    /// How many seconds each load lasts; those that hash passwords, 15 at least; reads, half of it in each of five turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Only the loads whose name contains that (`storm`: reads beside logins; `peers`: other services), and without the rest
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Write the tables into docs/performance.md, too
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

impl Plan {
    fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

#[tokio::main]
async fn main() {
    let plan = Plan::parse();
    let text = measure(&plan).await.text();
    println!("{text}");
    if plan.write {
        report::write(&text);
    }
}

async fn measure(plan: &Plan) -> Report {
    let mut report = Report::of_this_machine();
    let step = |what: &str| eprintln!("== {what}");
    step("an empty handler, a bare loop of bcrypt");
    report.empty = limits::empty_handler(32, plan.duration());
    report.bare_bcrypt = limits::bare_bcrypt(plan.duration());
    report.cold_starts = site::cold_starts();
    step("a server on Postgres and Redis, and people who use it");
    let mut site = Site::open("HS256").await;
    report.selects = limits::single_row_selects(&site, 32, plan.duration());
    tokio::time::sleep(Duration::from_secs(1)).await;
    report.idle_kib = site.server.resident_kib();
    for (scenario, all_connections) in LOADS {
        if !scenario.name().contains(&plan.only) {
            continue;
        }
        for &connections in *all_connections {
            step(&format!("{}, {connections} connections", scenario.name()));
            if matches!(scenario, Scenario::Refresh | Scenario::Mixed) {
                site.log_everybody_in().await;
            }
            report.rows.push(match scenario {
                Scenario::Read => reads(&site, connections, plan.duration()),
                _ => under(&site, (*scenario, connections, plan.duration()), report.empty.1),
            });
        }
    }
    if "storm".contains(&plan.only) {
        step("reads while 32 connections log in");
        report.storm = Some(storm(&site, plan.duration(), report.empty.1));
    }
    if "peers".contains(&plan.only) {
        report.peers = peers::measure(&site, plan.duration());
    }
    if plan.only.is_empty() {
        step("accounts, sessions and clients that grow");
        report.curves = curve::measure(&mut site).await;
        report.row_sizes = curve::row_sizes(&site);
        drop(site);
        for algorithm in ["EdDSA", "ES256"] {
            step(&format!("reads with {algorithm}"));
            let site = Site::open(algorithm).await;
            report.algorithms.push((algorithm, reads(&site, 32, plan.duration())));
        }
    }
    report
}

/// Reads in turn with an empty handler, over as many connections, half of that time each
/// in whole seconds: the machine is quicker at one time than at another. The turn counts
/// that is in the middle of all, by how many empty handlers a read takes.
fn reads(site: &Site, connections: usize, duration: Duration) -> Measured {
    let each = Duration::from_secs(duration.as_secs().div_ceil(2));
    let turn = |_| {
        let (_, empty_micros) = limits::empty_handler(connections, each);
        under(site, (Scenario::Read, connections, each), empty_micros)
    };
    let mut turns: Vec<_> = (0..TURNS).map(turn).collect();
    turns.sort_by(|one, other| one.in_empty_handlers().total_cmp(&other.in_empty_handlers()));
    turns[turns.len() / 2]
}

/// A load, after a moment of the same that does not count.
fn under(
    site: &Site,
    (scenario, connections, duration): (Scenario, usize, Duration),
    empty_micros: f64,
) -> Measured {
    let url = site.server.url();
    let people = site.people.path();
    // Hashes are slow: enough of them for a percentile.
    let is_hashing = matches!(scenario, Scenario::Login | Scenario::Register);
    let duration = if is_hashing { duration.max(Duration::from_secs(15)) } else { duration };
    let load = Load { scenario, connections, duration, url: &url, people };
    if scenario == Scenario::Read {
        Load { duration: Duration::from_secs(1), ..load }.run();
    }
    let before = site.used();
    let running = load.start();
    std::thread::sleep(duration.mul_f64(0.8));
    let resident_kib = site.server.resident_kib();
    let figures = running.end();
    let per_request = site.per_request(before, figures.requests);
    Measured { scenario, connections, figures, per_request, resident_kib, empty_micros }
}

/// Reads without and with logins beside them.
fn storm(site: &Site, duration: Duration, empty_micros: f64) -> [Measured; 2] {
    let calm = under(site, (Scenario::Read, 8, duration), empty_micros);
    let url = site.server.url();
    let logins = Load {
        scenario: Scenario::Login,
        connections: 32,
        duration: duration + Duration::from_secs(4),
        url: &url,
        people: site.people.path(),
    }
    .start();
    std::thread::sleep(Duration::from_secs(1));
    let stormy = under(site, (Scenario::Read, 8, duration), empty_micros);
    logins.end();
    [calm, stormy]
}
