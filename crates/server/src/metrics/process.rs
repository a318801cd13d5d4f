//! What the operating system tells of this process. Only Linux tells it in files;
//! elsewhere nothing is told.

use portcullis_domain::Timestamp;
use portcullis_metrics::Metrics;

/// Ticks of a second in `/proc`: `USER_HZ`, 100 on every architecture that is built
/// for (`proc_pid_stat(5)`).
const TICKS: u64 = 100;

/// Notes when the process started: now, to a second or so.
pub(crate) fn started(metrics: &Metrics, now: Timestamp) {
    let seconds = usize::try_from(now.as_seconds()).unwrap_or(0);
    metrics.process_start.set((), count(seconds));
}

/// Notes how much memory, processor time and files the process has.
pub(super) fn sample(metrics: &Metrics) {
    if let Some(bytes) = resident_memory() {
        metrics.process_memory.set((), bytes);
    }
    if let Some(seconds) = cpu_seconds() {
        metrics.process_cpu.stands_at((), seconds);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        // The folder itself is open while it is read.
        metrics.process_open_files.set((), count(open.count().saturating_sub(1)));
    }
    if let Some(limit) = file_limit() {
        metrics.process_max_files.set((), limit);
    }
}

/// A count as a gauge takes it; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted that far")]
pub(super) fn count(number: usize) -> f64 {
    number as f64
}

fn resident_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn cpu_seconds() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything, and ends at the last parenthesis.
    // Behind it comes field 3; user and system time are 14 and 15.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    Some((times.next()? + times.next()?) / TICKS)
}

fn file_limit() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_measured() {
        assert!(resident_memory().unwrap() > 1e6);
        assert!(file_limit().unwrap() >= 16.0);
        assert!(cpu_seconds().unwrap() < 100_000);
    }
}
