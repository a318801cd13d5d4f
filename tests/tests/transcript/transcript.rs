//! What was said, written down.

use std::fmt;

/// How the first line of every step begins.
pub(crate) const HEADING: &str = "## ";

/// One thing that happened.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name of its story.
    pub(crate) story: &'static str,
    /// What it was, in one line.
    pub(crate) title: String,
    /// Everything about it.
    pub(crate) text: String,
}

/// A whole conversation.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    steps: Vec<Step>,
    requests: Vec<(String, String)>,
}

impl Transcript {
    /// Adds what happened.
    pub(crate) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Remembers that this method was asked for on this path.
    pub(crate) fn add_request(&mut self, method: &str, path: &str) {
        self.requests.push((method.to_owned(), path.to_owned()));
    }

    /// The methods and paths that were asked for.
    pub(crate) fn requests(&self) -> &[(String, String)] {
        &self.requests
    }

    /// Whether that text occurs in an answer.
    pub(crate) fn tells(&self, text: &str) -> bool {
        self.steps.iter().any(|step| step.text.contains(text))
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in (1..).zip(&self.steps) {
            let Step { story, title, text } = step;
            writeln!(f, "{HEADING}{number}. {story}: {title}\n{text}\n")?;
        }
        Ok(())
    }
}
