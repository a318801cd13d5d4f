//! A connection to Postgres that stays open.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Somebody else who uses a database: what they begin stays begun until they end
/// it, or until they are gone.
#[derive(Debug)]
pub struct PostgresSession {
    psql: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl PostgresSession {
    pub(super) fn open(psql: &Path, url: &str) -> Self {
        let mut command = Command::new(psql);
        command.args(["-X", "-q", "-A", "-t", url]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut psql = command.spawn().unwrap();
        let input = psql.stdin.take().unwrap();
        let output = BufReader::new(psql.stdout.take().unwrap()).lines();
        Self { psql, input, output }
    }

    /// Runs SQL to its end; returns what it prints, a row per line.
    pub fn sql(&mut self, sql: &str) -> String {
        const END: &str = "that was all";
        writeln!(self.input, "{sql};\n\\echo {END}").unwrap();
        let lines = self.output.by_ref().map(Result::unwrap);
        lines.take_while(|line| line != END).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for PostgresSession {
    fn drop(&mut self) {
        // It may be waiting for a lock: nobody waits for it.
        let _ = self.psql.kill();
        self.psql.wait().unwrap();
    }
}
