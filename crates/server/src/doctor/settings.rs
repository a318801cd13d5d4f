//! Whether the settings are valid.

use super::finding::Finding;
use crate::settings::Parts;

pub(super) fn check(parts: &Parts) -> Vec<Finding> {
    let Err(invalid) = &parts.validity else {
        return vec![Finding::ok("settings", "all of them are valid")];
    };
    let advice = "`portcullis config --reference` lists what each may be; \
                  what depends on it is not looked at";
    let wrong = |mistake: &String| Finding::wrong("settings", mistake, advice);
    invalid.mistakes().iter().map(wrong).collect()
}
