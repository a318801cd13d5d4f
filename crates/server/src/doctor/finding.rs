//! What a check has to say.

use serde::Serialize;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is not used.
    Off,
    /// Nothing is to be done.
    Ok,
    /// It works, and something should be done.
    Warning,
    /// It does not work, or is not safe to go on with.
    Wrong,
}

impl State {
    /// As it is told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) what: &'static str,
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What to do about it, if anything.
    #[serde(rename = "to_do")]
    pub(super) advice: Option<String>,
}

impl Finding {
    /// Nothing is to be done.
    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, state: State::Ok, found: one_line(&found.into()), advice: None }
    }

    /// It is not used.
    pub(super) fn off(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, state: State::Off, found: one_line(&found.into()), advice: None }
    }

    /// It works; this should be done.
    pub(super) fn warning(
        what: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { what, state: State::Warning, found: one_line(&found.into()), advice }
    }

    /// It does not work; this has to be done.
    pub(super) fn wrong(
        what: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = Some(advice.into());
        Self { what, state: State::Wrong, found: one_line(&found.into()), advice }
    }
}

/// What is told may come from another server: it neither breaks lines nor moves the
/// cursor of a terminal.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_stays_on_its_line() {
        let told = Finding::ok("redis", "Parse error\n  \u{1b}[2Jat\u{7} 1\r\n");
        assert_eq!(told.found, "Parse error [2Jat 1");
    }
}
