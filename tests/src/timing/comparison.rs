//! Pairs of requests, one after the other.

use std::time::Duration;

use super::statistics::{Interval, bootstrap, cliffs_delta, median, shifted, wilcoxon};
use crate::{Connection, Random};

/// Pairs that are sent first and not counted: caches fill, connections open.
const WARM_UP: usize = 20;
/// Samples that are drawn for a confidence interval.
const RESAMPLES: usize = 2000;
/// The difference for which it is told how it would show.
const HALF_A_MILLISECOND: f64 = 0.000_5;

/// What is compared with what.
pub(super) struct Comparison {
    pub(super) what: &'static str,
    /// What both must be answered.
    pub(super) status: u16,
    /// About a stranger, and about an account.
    pub(super) requests: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What came of a comparison; times in seconds.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) pairs: usize,
    /// The medians of strangers and of accounts.
    pub(super) medians: (f64, f64),
    /// How often an account takes longer than a stranger, less how often it
    /// takes less.
    pub(super) delta: f64,
    /// Where that lies with 95 % confidence.
    pub(super) interval: Interval,
    /// Of the Wilcoxon signed-rank test.
    pub(super) p: f64,
    /// What delta would be if accounts took half a millisecond longer.
    pub(super) sensitivity: f64,
}

/// Sends all pairs of all comparisons, mixed.
pub(super) fn measure(
    connection: &mut Connection,
    comparisons: &[Comparison],
    random: &mut Random,
    progress: impl Fn(usize, usize),
) -> Vec<Row> {
    let pairs = comparisons.iter().map(|one| one.requests.len()).max().unwrap_or(0);
    let mut times = vec![Vec::with_capacity(pairs); comparisons.len()];
    warm_up(connection);
    for pair in 0..pairs {
        progress(pair, pairs);
        let mut order: Vec<usize> = (0..comparisons.len()).collect();
        random.shuffle(&mut order);
        for which in order {
            let comparison = &comparisons[which];
            let Some((stranger, account)) = comparison.requests.get(pair) else { continue };
            let mut ask = |request: &[u8]| -> Duration {
                let answer = connection.ask(request);
                assert_eq!(answer.status(), Some(comparison.status), "{answer:?}");
                answer.took
            };
            let both = if random.coin() {
                let first = ask(stranger);
                (first, ask(account))
            } else {
                let first = ask(account);
                (ask(stranger), first)
            };
            times[which].push((both.0.as_secs_f64(), both.1.as_secs_f64()));
        }
    }
    let rows = comparisons.iter().zip(&times);
    rows.map(|(comparison, pairs)| row(comparison.what, pairs, random)).collect()
}

fn warm_up(connection: &mut Connection) {
    let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for _ in 0..WARM_UP {
        assert_eq!(connection.ask(request).status(), Some(200));
    }
}

fn row(what: &'static str, pairs: &[(f64, f64)], random: &mut Random) -> Row {
    let (strangers, accounts): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    Row {
        what,
        pairs: pairs.len(),
        medians: (median(&strangers), median(&accounts)),
        delta: cliffs_delta(pairs),
        interval: bootstrap(pairs, RESAMPLES, random),
        p: wilcoxon(pairs),
        sensitivity: cliffs_delta(&shifted(&strangers, HALF_A_MILLISECOND)),
    }
}
