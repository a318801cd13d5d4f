//! Doors for the fuzzer. No release has them.

use crate::settings::{Settings, is_dot_env_pair};
use crate::users;

/// Reads settings as they might stand in an environment; gives what is told
/// about them, be it the configuration or what is wrong with it.
#[must_use]
pub fn settings(pairs: &[(String, String)]) -> String {
    match Settings::from_pairs(pairs.iter().cloned()) {
        Ok(read) => read.effective,
        Err(mistakes) => mistakes.to_string(),
    }
}

/// Reads a line of a `.env` file: whether it holds a setting.
#[must_use]
pub fn dot_env_line(line: &str) -> bool {
    is_dot_env_pair(line)
}

/// Reads accounts that move in; gives what is wrong with each line.
#[must_use]
pub fn import(file: &[u8]) -> Vec<String> {
    users::faults_of(file)
}
