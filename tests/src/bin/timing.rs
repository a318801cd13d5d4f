//! Measures whether the time of an answer tells who has an account; writes the
//! tables of `docs/timing.md`.

use std::io::Write;
use std::process::ExitCode;

use portcullis_tests::timing::{Found, Storage, file, measure, tables, write};

const HELP: &str = "\
Measures whether the time of an answer tells who has an account, and writes the
tables of docs/timing.md. It needs a quiet machine and some minutes.

Usage: just timing [--pairs N] [--postgres] [--only TEXT] [--remark TEXT]

  --pairs N      pairs of each comparison (default 1000)
  --postgres     measure with Postgres too, not the embedded database alone
  --only TEXT    only the comparisons whose name contains that; they are printed,
                 and the page stays as it is
  --remark TEXT  a sentence about the circumstances, for the page
  --help         this text

The program is the one that PORTCULLIS_PROGRAM names; `just timing` builds it
for release.";

/// What is to be done.
struct Plan {
    pairs: usize,
    storages: Vec<Storage>,
    only: String,
    remark: String,
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Result<Option<Plan>, String> {
    let mut plan = Plan {
        pairs: 1000,
        storages: vec![Storage::Embedded],
        only: String::new(),
        remark: String::new(),
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(None),
            "--postgres" => plan.storages.push(Storage::Postgres),
            "--pairs" => {
                let number = arguments.next().and_then(|text| text.parse().ok());
                plan.pairs = number.filter(|pairs| *pairs >= 40).ok_or("--pairs: 40 or more")?;
            }
            "--only" => plan.only = arguments.next().ok_or("--only: a text is missing")?,
            "--remark" => plan.remark = arguments.next().ok_or("--remark: a text is missing")?,
            other => return Err(format!("{other}: unknown; see --help")),
        }
    }
    Ok(Some(plan))
}

#[tokio::main]
async fn main() -> ExitCode {
    let plan = match plan(std::env::args().skip(1)) {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut found = Vec::new();
    for storage in plan.storages {
        let progress = |what: &str, done: usize, all: usize| {
            eprint!("\r{storage:?}: {what} {done}/{all}        ");
            // A line that is not shown is shown with the next.
            drop(std::io::stderr().flush());
        };
        found.push(measure(storage, plan.pairs, &plan.only, progress).await);
        eprintln!();
    }
    if found.iter().all(Found::is_empty) {
        eprintln!("--only {}: no comparison has such a name", plan.only);
        return ExitCode::from(2);
    }
    if plan.only.is_empty() {
        if let Err(error) = write(&found, &plan.remark) {
            eprintln!("{}: {error}", file().display());
            return ExitCode::FAILURE;
        }
        println!("{}", file().display());
    } else {
        println!("{}", tables(&found, &plan.remark));
    }
    if found.iter().all(Found::is_good) {
        ExitCode::SUCCESS
    } else {
        eprintln!("something tells; see the tables");
        ExitCode::FAILURE
    }
}
