//! Runs every law over every adapter and writes `docs/conformance.md`.

use std::process::ExitCode;

use portcullis_tests::conformance::{file, held, table};

fn main() -> ExitCode {
    let trials = held();
    if let Err(error) = std::fs::write(file(), table(&trials)) {
        eprintln!("{}: {error}", file().display());
        return ExitCode::FAILURE;
    }
    let broken: Vec<_> = trials.iter().filter(|trial| !trial.holds).collect();
    for trial in &broken {
        eprintln!("{} does not keep {}::{}", trial.adapter, trial.law.module, trial.law.name);
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
