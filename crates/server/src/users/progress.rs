//! A progress bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// How far an import has come.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over so many bytes; without a known end it only counts.
    pub(super) fn over(bytes: Option<u64>) -> Self {
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::no_length(),
        };
        let template = match bytes {
            Some(_) => "{wide_bar} {percent:>3} %  {msg}  {eta} left",
            None => "{spinner} {bytes}  {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many bytes are done, which were so many lines.
    pub(super) fn advance(&self, bytes: u64, lines: u64) {
        self.0.set_message(format!("{lines} lines"));
        self.0.set_position(bytes);
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
