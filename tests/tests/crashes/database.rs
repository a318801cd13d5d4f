//! Looking into the database, beside the server.

use std::path::PathBuf;
use std::process::Command;

use portcullis_testkit::Postgres;

/// The database of a server.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    File(PathBuf),
    Postgres(String),
}

/// Runs statements one after the other; prints a line per row, with bars
/// between columns, and a line `;` after each statement.
const ON_A_FILE: &str = r"
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
for statement in sys.argv[2:]:
    for row in file.execute(statement):
        print('|'.join('' if one is None else str(one) for one in row))
    print(';')
";

impl Database {
    /// The rows of several statements.
    pub(crate) fn ask<const N: usize>(&self, statements: [&str; N]) -> [Vec<String>; N] {
        match self {
            Self::File(file) => {
                let mut python = Command::new("python3");
                python.args(["-c", ON_A_FILE]).arg(file).args(statements);
                let output = python.output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{said}");
                let printed = String::from_utf8(output.stdout).unwrap();
                let mut lines = printed.lines();
                statements.map(|_| {
                    lines.by_ref().take_while(|line| *line != ";").map(str::to_owned).collect()
                })
            }
            Self::Postgres(url) => statements.map(|statement| {
                let printed = Postgres::shared().sql(url, statement);
                printed.lines().map(str::to_owned).collect()
            }),
        }
    }

    /// The rows of one statement.
    pub(crate) fn rows(&self, statement: &str) -> Vec<String> {
        let [rows] = self.ask([statement]);
        rows
    }

    /// How many letters are neither delivered nor given up.
    pub(crate) fn owed(&self) -> usize {
        let owed = "SELECT count(*) FROM outbox WHERE settled_at IS NULL AND buried_at IS NULL";
        self.rows(owed)[0].parse().unwrap()
    }

    /// Ends the leases of letters that a killed server held, which would come
    /// free after a minute.
    pub(crate) fn end_leases(&self) {
        let past = match self {
            Self::File(_) => "0",
            Self::Postgres(_) => "'epoch'",
        };
        let end = format!("UPDATE outbox SET due_at = {past} WHERE settled_at IS NULL");
        self.rows(&end);
    }

    /// Every letter: its id in hexadecimal digits, recipient, kind, and whether
    /// it was given up.
    pub(crate) fn letters(&self) -> Vec<[String; 4]> {
        let id = match self {
            Self::File(_) => "lower(hex(id))",
            Self::Postgres(_) => "replace(id::text, '-', '')",
        };
        let rows = self.rows(&format!(
            "SELECT {id}, recipient, kind, CASE WHEN buried_at IS NULL THEN 0 ELSE 1 END
             FROM outbox"
        ));
        rows.iter().map(|row| columns(row)).collect()
    }

    /// Every account: its address, its name, and whether its address is proven.
    pub(crate) fn accounts(&self) -> Vec<[String; 3]> {
        let rows = self.rows(
            "SELECT email, name, CASE WHEN email_verified_at IS NULL THEN 0 ELSE 1 END FROM users",
        );
        rows.iter().map(|row| columns(row)).collect()
    }
}

fn columns<const N: usize>(row: &str) -> [String; N] {
    let columns: Vec<String> = row.split('|').map(str::to_owned).collect();
    columns.try_into().unwrap()
}
