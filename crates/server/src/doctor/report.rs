//! How findings are shown.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use console::{Style, Term};
use serde::Serialize;

use super::finding::{Finding, State};

/// As programs read it.
#[derive(Serialize)]
struct Report<'a> {
    version: &'static str,
    /// Whether nothing is wrong.
    healthy: bool,
    checks: &'a [Finding],
}

pub(super) fn print_json(findings: &[Finding]) -> io::Result<()> {
    let healthy = count(findings, State::Wrong) == 0;
    let report = Report { version: env!("CARGO_PKG_VERSION"), healthy, checks: findings };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)
}

pub(super) fn print_table(findings: &[Finding]) -> io::Result<()> {
    // Neither without a terminal nor under NO_COLOR.
    let is_coloured = Term::stdout().features().colors_supported();
    io::stdout().lock().write_all(table(findings, is_coloured).as_bytes())
}

fn count(findings: &[Finding], state: State) -> usize {
    findings.iter().filter(|finding| finding.state == state).count()
}

fn style(state: State) -> Style {
    match state {
        State::Off => Style::new().dim(),
        State::Ok => Style::new().green(),
        State::Warning => Style::new().yellow(),
        State::Wrong => Style::new().red().bold(),
    }
}

/// A line per finding, and what to do about it beneath.
fn table(findings: &[Finding], is_coloured: bool) -> String {
    let paint = |style: Style, text: String| style.force_styling(is_coloured).apply_to(text);
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
    let mut text = String::new();
    for finding in findings {
        let state = paint(style(finding.state), format!("{:<7}", finding.state.name()));
        let column = 7 + 2 + width + 2;
        let _ = writeln!(text, "{state}  {:<width$}  {}", finding.what, finding.found);
        if let Some(advice) = &finding.advice {
            let advice = paint(Style::new().bold(), advice.clone());
            let _ = writeln!(text, "{:column$}→ {advice}", "");
        }
    }
    let (wrong, warnings) = (count(findings, State::Wrong), count(findings, State::Warning));
    let (state, verdict) = match (wrong, warnings) {
        (0, 0) => (State::Ok, "all is well".to_owned()),
        (0, 1) => (State::Warning, "nothing is wrong; 1 warning".to_owned()),
        (0, many) => (State::Warning, format!("nothing is wrong; {many} warnings")),
        (wrong, warnings) => (State::Wrong, format!("wrong: {wrong}, warnings: {warnings}")),
    };
    let _ = writeln!(text, "\n{}", paint(style(state), verdict));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("settings", "valid"),
            Finding::wrong("database", "it refuses the login", "see to its password"),
        ]
    }

    #[test]
    fn what_to_do_stands_beneath_what_was_found() {
        let plain = "ok       settings  valid\n\
                     wrong    database  it refuses the login\n                   \
                     → see to its password\n\nwrong: 1, warnings: 0\n";
        assert_eq!(table(&findings(), false), plain);
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(!table(&findings(), false).contains('\u{1b}'));
        assert!(table(&findings(), true).contains("\u{1b}[31m"));
    }
}
