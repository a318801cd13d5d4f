//! What became of the lines so far.

use std::fmt;

use portcullis_domain::{ImportOutcome, UniqueValue};

/// How many lines are named that differ from what is there.
const NAMED: usize = 10;

/// Counts of lines.
#[derive(Debug, Default)]
pub(super) struct Tally {
    is_rehearsal: bool,
    added: u64,
    already_there: u64,
    differing: u64,
    first_differing: Vec<u64>,
    refused: u64,
    unproven: u64,
}

impl Tally {
    pub(super) fn new(is_rehearsal: bool) -> Self {
        Self { is_rehearsal, ..Self::default() }
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn lines(&self) -> u64 {
        self.added + self.already_there + self.refused
    }

    /// Counts a line that could not be read.
    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// Counts a line that was read; gives the reason if it was refused.
    pub(super) fn count(
        &mut self,
        line: u64,
        waits_for_proof: bool,
        outcome: &ImportOutcome,
    ) -> Option<String> {
        match outcome {
            ImportOutcome::Added => {
                self.added += 1;
                self.unproven += u64::from(waits_for_proof);
                None
            }
            ImportOutcome::AlreadyThere { differs } => {
                self.already_there += 1;
                if *differs {
                    self.differing += 1;
                    if self.first_differing.len() < NAMED {
                        self.first_differing.push(line);
                    }
                }
                None
            }
            ImportOutcome::Conflict(values) => {
                self.refused += 1;
                Some(conflict(values))
            }
        }
    }
}

fn conflict(values: &[UniqueValue]) -> String {
    let names: Vec<&str> = values
        .iter()
        .map(|value| match value {
            UniqueValue::Id => "id",
            UniqueValue::Number => "number",
            UniqueValue::Email => "email",
            UniqueValue::Username => "username",
        })
        .collect();
    format!("{}: held by another account, or by this one under other values", names.join(", "))
}

/// The summary, for the end.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = if self.is_rehearsal { "would be added" } else { "added" };
        writeln!(f, "{added:<15}{}", self.added)?;
        writeln!(f, "already there  {}", self.already_there)?;
        writeln!(f, "refused        {}", self.refused)?;
        if self.differing > 0 {
            let lines: Vec<String> = self.first_differing.iter().map(u64::to_string).collect();
            let more = if self.differing > NAMED as u64 { ", …" } else { "" };
            writeln!(
                f,
                "differing      {} (there with other values, and stay as they are: line {}{more})",
                self.differing,
                lines.join(", ")
            )?;
        }
        if self.unproven > 0 {
            writeln!(
                f,
                "unproven       {} (and without a username: removed UNVERIFIED_ACCOUNT_TTL after \
                 created_at; email_verified keeps them)",
                self.unproven
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_the_first_lines_that_differ_and_counts_the_rest() {
        let mut tally = Tally::new(false);
        assert_eq!(tally.to_string(), "added          0\nalready there  0\nrefused        0\n");
        for line in 1..=12 {
            let there = ImportOutcome::AlreadyThere { differs: true };
            assert_eq!(tally.count(line, false, &there), None);
        }
        tally.count(13, true, &ImportOutcome::Added);
        tally.refuse();
        let taken = ImportOutcome::Conflict(vec![UniqueValue::Email, UniqueValue::Username]);
        let reason = tally.count(15, true, &taken).unwrap();
        assert!(reason.starts_with("email, username: held by another account"), "{reason}");
        assert_eq!((tally.lines(), tally.refused()), (15, 2));
        let said = tally.to_string();
        assert!(said.contains("differing      12 "), "{said}");
        assert!(said.contains("line 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)"), "{said}");
        assert!(said.contains("unproven       1 "), "{said}");
    }
}
