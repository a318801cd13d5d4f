//! What the operating system tells of the server's process.

use std::fs;
use std::time::Duration;

use crate::Server;

impl Server {
    /// Memory of its own in use, in KiB: without the pages of the program's file,
    /// which the system reads and forgets as it likes.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }

    /// Files and sockets that are open.
    #[must_use]
    pub fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// The arguments that every user of the machine can read.
    #[must_use]
    pub fn command_line(&self) -> String {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid())).unwrap();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    }

    /// The time that the server's threads have spent on a processor so far.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        cpu_time_of(self.pid())
    }
}

/// The time that a process's threads have spent on a processor so far.
#[must_use]
pub fn cpu_time_of(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let spent = threads.flatten().filter_map(|thread| {
        // A thread may end while it is looked at.
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}
