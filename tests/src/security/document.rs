//! `docs/security.md`.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::case::SECTIONS;
use super::{Case, Id, Severity, Test, faults, requirements};

const INTRODUCTION: &str = "\
# What is shown about security and reliability

Made by `just security` from the output of a run of all tests and from the lists in [tests/cases](../tests/cases); the
test command fails where it is out of date. A test shows a row when its name begins with the row's id. `program name`
is what `cargo test` calls them: `cargo test -p portcullis-tests --test attacks pw_03` runs one of them alone. The
[outages](outages.md) have a table of their own.

";

/// The document, from the tests of a run.
#[must_use]
pub fn document(tests: &[Test]) -> String {
    let (requirements, faults) = (requirements(), faults());
    let mut text = INTRODUCTION.to_owned();
    text.push_str("| severity | rows | shown | in part | open |\n|---|---|---|---|---|\n");
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        let rows = requirements.iter().filter(|case| case.severity == Some(severity));
        summary(&mut text, &severity.to_string(), rows, tests);
    }
    summary(&mut text, "Faults", faults.iter(), tests);
    for (section, title) in SECTIONS {
        let _ = writeln!(text, "\n## {title}\n");
        let is_fault = section == "R";
        text.push_str(if is_fault {
            "| id | fault and promise | shown by |\n|---|---|---|\n"
        } else {
            "| id | severity | requirement | shown by |\n|---|---|---|---|\n"
        });
        let cases = requirements.iter().chain(&faults);
        for case in cases.filter(|case| case.id.section == section) {
            let severity = case.severity.map_or(String::new(), |severity| format!("{severity} | "));
            let words = case.text.replace('|', "\\|");
            let _ = writeln!(text, "| {} | {severity}{words} | {} |", case.id, shown(case, tests));
        }
    }
    text
}

fn summary<'a>(
    text: &mut String,
    name: &str,
    cases: impl Iterator<Item = &'a Case>,
    tests: &[Test],
) {
    let (mut all, mut whole, mut partly) = (0, 0, 0);
    for case in cases {
        all += 1;
        match (of(&case.id, tests).next(), &case.open) {
            (Some(_), None) => whole += 1,
            (Some(_), Some(_)) => partly += 1,
            (None, _) => {}
        }
    }
    let open = all - whole - partly;
    let _ = writeln!(text, "| {name} | {all} | {whole} | {partly} | {open} |");
}

fn of<'a>(id: &Id, tests: &'a [Test]) -> impl Iterator<Item = &'a Test> {
    tests.iter().filter(move |test| test.shows().contains(id))
}

fn shown(case: &Case, tests: &[Test]) -> String {
    let tests: Vec<_> = of(&case.id, tests)
        .map(|test| {
            let result = if test.passed { "" } else { " **failed**" };
            format!("`{} {}`{result}", test.program, test.name)
        })
        .collect();
    match (&case.open, tests.is_empty()) {
        (Some(reason), true) => format!("open: {reason}"),
        (Some(reason), false) => format!("{}<br>In part: {reason}", tests.join("<br>")),
        (None, true) => "**no test and no reason**".to_owned(),
        (None, false) => tests.join("<br>"),
    }
}

/// What is wrong with the lists in the light of a run, a line each.
#[must_use]
pub fn mistakes(tests: &[Test]) -> Vec<String> {
    let cases: Vec<_> = requirements().into_iter().chain(faults()).collect();
    let mut mistakes = Vec::new();
    for case in &cases {
        let is_shown = of(&case.id, tests).next().is_some();
        let is_grave = case.severity.is_some_and(|severity| severity <= Severity::High);
        match (&case.open, is_shown) {
            (None, false) => mistakes.push(format!("{} has no test and no reason", case.id)),
            (Some(_), false) if is_grave => {
                mistakes.push(format!("{} is critical or high, and no test shows it", case.id));
            }
            _ => {}
        }
    }
    let known: BTreeSet<_> = cases.iter().map(|case| &case.id).collect();
    for test in tests {
        for id in test.shows().iter().filter(|id| !known.contains(id)) {
            mistakes.push(format!("{} {} shows {id}, which is no row", test.program, test.name));
        }
        if !test.passed {
            mistakes.push(format!("{} {} did not pass", test.program, test.name));
        }
    }
    mistakes
}
