//! Makes `docs/security.md` from the output of a run of all tests.

use std::path::Path;
use std::process::ExitCode;

use portcullis_tests::security::{document, mistakes, tests_of};

const USAGE: &str = "\
Makes docs/security.md from the output of `cargo test --workspace`.

usage: security-table [--check] FILE

  FILE      what the run printed, standard error included
  --check   write nothing; fail when the document is out of date, when a row has
            neither test nor reason, or when a critical or high row has no test";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (checks, file) = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        ["--check", file] => (true, *file),
        [file] if !file.starts_with('-') => (false, *file),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match run(checks, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("security-table: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(checks: bool, file: &str) -> Result<(), String> {
    let output = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let tests = tests_of(&String::from_utf8_lossy(&output));
    let made = document(&tests);
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md"));
    let mut mistakes = mistakes(&tests);
    if checks {
        let written = std::fs::read_to_string(path).unwrap_or_default();
        if written != made {
            let mut lines = made.lines().zip(written.lines()).filter(|(made, old)| made != old);
            let first = lines.next().map(|(made, _)| made).unwrap_or_default();
            mistakes.push(format!("docs/security.md is out of date (`just security`): {first}"));
        }
    } else {
        std::fs::write(path, made).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if mistakes.is_empty() {
        println!("{} tests show all rows, or the reason is given", tests.len());
        return Ok(());
    }
    Err(mistakes.join("\n  "))
}
