//! The rows of `tests/cases`.

use std::fmt;

/// The name of a row, such as `PW-03`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Two letters, or `R` for a fault.
    pub section: String,
    /// Counted from 1 within its section.
    pub number: u8,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.section, self.number)
    }
}

impl Id {
    fn parse(text: &str) -> Self {
        let (section, number) = text.split_once('-').expect("an id is a section and a number");
        Self { section: section.to_owned(), number: number.parse().expect("a number") }
    }

    /// The ids with which a name begins: `pw_01_pw_02_…` begins with two.
    #[must_use]
    pub fn leading(name: &str) -> Vec<Self> {
        let mut words = name.split('_');
        let mut ids = Vec::new();
        while let (Some(section), Some(number)) = (words.next(), words.next()) {
            let section = section.to_ascii_uppercase();
            let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || !SECTIONS.iter().any(|(known, _)| *known == section) {
                break;
            }
            ids.push(Self { section, number: number.parse().expect("two digits") });
        }
        ids
    }
}

/// The sections and what they are about.
pub(super) const SECTIONS: [(&str, &str); 18] = [
    ("PW", "Passwords and hashing"),
    ("RG", "Registration and e-mail identity"),
    ("VE", "E-mail verification"),
    ("LG", "Login and brute force"),
    ("EN", "Enumeration by content and by time"),
    ("JW", "Access tokens"),
    ("RF", "Refresh tokens and sessions"),
    ("LO", "Logout and revocation"),
    ("PR", "Password reset"),
    ("ME", "Profile and authorisation"),
    ("IN", "Input and HTTP"),
    ("DO", "Resource exhaustion"),
    ("RL", "Rate limiting"),
    ("ML", "Mail content and SMTP"),
    ("HD", "Headers, CORS, caching, documentation"),
    ("OP", "Logs, errors, secrets, configuration"),
    ("SC", "Supply chain and build"),
    ("R", "Faults"),
];

/// How bad it would be if a requirement did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody takes over an account, or a revocation does not hold.
    Critical,
    /// Enumeration, unlimited guesses, a leaked secret, a stopped service, lost state.
    High,
    /// Defence in depth, or costly abuse.
    Medium,
    /// Hygiene.
    Low,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not `write!`: the width of a column is for `pad` to keep.
        f.pad(match self {
            Self::Critical => "Critical",
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
        })
    }
}

/// A requirement, or a fault and what is promised while it lasts.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub id: Id,
    /// Of a requirement.
    pub severity: Option<Severity>,
    /// In words.
    pub text: String,
    /// What no test shows of it, and why.
    pub open: Option<String>,
}

/// Everything that has to hold.
#[must_use]
pub fn requirements() -> Vec<Case> {
    rows(include_str!("../../cases/requirements.tsv"), |severity, requirement| {
        let severity = match severity {
            "Critical" => Severity::Critical,
            "High" => Severity::High,
            "Medium" => Severity::Medium,
            "Low" => Severity::Low,
            other => panic!("{other} is no severity"),
        };
        (Some(severity), requirement.to_owned())
    })
}

/// Everything that may go wrong around the program.
#[must_use]
pub fn faults() -> Vec<Case> {
    rows(include_str!("../../cases/faults.tsv"), |fault, promise| {
        (None, format!("{fault}: {promise}"))
    })
}

fn rows(table: &str, read: impl Fn(&str, &str) -> (Option<Severity>, String)) -> Vec<Case> {
    let row = |line: &str| {
        let fields: Vec<_> = line.split('\t').collect();
        let [id, second, third, open] = fields[..] else {
            panic!("four fields are separated by tabs: {line}");
        };
        let (severity, text) = read(second, third);
        let open = Some(open.trim().to_owned()).filter(|reason| !reason.is_empty());
        Case { id: Id::parse(id), severity, text, open }
    };
    table.lines().skip(1).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leading(name: &str) -> Vec<String> {
        Id::leading(name).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ids_stand_at_the_beginning_of_a_name() {
        assert_eq!(leading("pw_03_72_bytes_are_not_the_end"), ["PW-03"]);
        assert_eq!(leading("jw_01_jw_06_unsigned_tokens"), ["JW-01", "JW-06"]);
        assert_eq!(leading("r_12_a_restart"), ["R-12"]);
        for other in ["a_body_in_10_parts", "rest_12", "pw_3_short", "pw_abc", "pw", "", "xx_01_y"]
        {
            assert!(Id::leading(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn every_row_of_the_lists_can_be_read() {
        assert_eq!(requirements().len(), 241);
        assert_eq!(faults().len(), 52);
    }
}
