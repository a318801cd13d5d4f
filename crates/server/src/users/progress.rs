//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// How far an import or a seeding has come.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over so many bytes, or users; without a known end it only counts.
    pub(super) fn over(end: Option<u64>) -> Self {
        let bar = match end {
            Some(end) => ProgressBar::new(end),
            None => ProgressBar::no_length(),
        };
        let template = match end {
            Some(_) => "{wide_bar} {percent:>3} %  {msg}  {eta} left",
            None => "{spinner} {bytes}  {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// It has come that far, which is told in these words.
    pub(super) fn advance(&self, position: u64, told: String) {
        self.0.set_message(told);
        self.0.set_position(position);
    }

    /// Says something on standard error, above the bar.
    pub(super) fn say(&self, text: &str) {
        self.0.suspend(|| eprintln!("{text}"));
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
