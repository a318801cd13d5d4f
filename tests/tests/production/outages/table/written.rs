//! A table as it stands in the page.

use std::fmt::Write;

use super::requests::Seen;

/// What to do about a page that tells something else.
pub(super) const AGAIN: &str = "docs/outages.md: write it anew with UPDATE_DOCS=1";

/// What was seen of one dependency.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// What was wrong, and all requests.
    pub(super) columns: Vec<(&'static str, Vec<Seen>)>,
}

impl Table {
    fn head(&self) -> [String; 5] {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        [
            String::new(),
            format!("### {}", self.name),
            String::new(),
            format!("| request | {} |", names.join(" | ")),
            format!("|---|{}", "---|".repeat(self.columns.len())),
        ]
    }

    /// A row: the request, and what was seen of it under each fault.
    fn rows(&self) -> impl Iterator<Item = (&'static str, Vec<&Seen>)> {
        let (_, first) = &self.columns[0];
        first.iter().enumerate().map(|(row, seen)| {
            (seen.request.name(), self.columns.iter().map(|(_, seen)| &seen[row]).collect())
        })
    }

    /// The whole table.
    pub(super) fn text(&self) -> String {
        let mut text = self.head().join("\n") + "\n";
        for (name, row) in self.rows() {
            write!(text, "| {name} |").unwrap();
            for seen in row {
                write!(text, " {} |", seen.told()).unwrap();
            }
            writeln!(text).unwrap();
        }
        text
    }

    /// Insists that the next lines of the page tell what was seen.
    pub(super) fn is_told_by<'a>(&self, written: &mut impl Iterator<Item = &'a str>) {
        for expected in self.head() {
            assert_eq!(written.next(), Some(expected.as_str()), "{AGAIN}");
        }
        for (name, row) in self.rows() {
            let line = written.next().unwrap_or_default();
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), row.len() + 1, "{line}: {AGAIN}");
            assert_eq!(cells[0], name, "{AGAIN}");
            for (seen, cell) in row.into_iter().zip(&cells[1..]) {
                let (told, took) = (seen.told(), seen.took);
                assert!(seen.is_told_by(cell), "{name}: {told:?} after {took:?}; {line}: {AGAIN}");
            }
        }
    }
}
