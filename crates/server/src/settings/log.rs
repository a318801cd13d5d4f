//! What is logged, and how.

use super::parse;
use super::reader::{Reader, Wrong};

/// What is logged, and how.
pub(crate) struct LogSettings {
    pub(crate) is_json: bool,
    pub(crate) level: String,
}

pub(super) fn log(reader: &mut Reader) -> Result<LogSettings, Wrong> {
    let is_json = reader.get("LOG_FORMAT", parse::word(&[("pretty", false), ("json", true)]));
    let level = reader.get("LOG_LEVEL", parse::log_level);
    Ok(LogSettings { is_json: is_json?, level: level? })
}
