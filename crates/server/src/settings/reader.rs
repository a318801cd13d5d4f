//! Reading settings one by one, and keeping account of all of them.

use std::collections::HashMap;
use std::fmt::{self, Write};

use super::table::{self, Preset, SETTINGS};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Environment,
    DotEnv,
    File,
    Default,
}

struct Value {
    text: String,
    origin: Origin,
}

/// Everything that is wrong with the settings, a line each.
#[derive(Debug, Default)]
pub(crate) struct InvalidSettings(Vec<String>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not valid")?;
        for mistake in &self.0 {
            write!(f, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidSettings {}

/// A setting is wrong; the reader has taken note of it.
#[derive(Debug)]
pub(super) struct Wrong;

/// Hands out settings and collects what is wrong with them.
pub(super) struct Reader {
    values: HashMap<String, Value>,
    mistakes: Vec<String>,
}

impl Reader {
    /// The process's environment, then the `.env` file of the working directory.
    pub(super) fn from_environment() -> Self {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            // What is not Unicode is no setting of ours.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let mut reader = Self::from_pairs(environment);
        reader.add_dot_env();
        reader
    }

    /// Exactly these.
    pub(super) fn from_pairs(pairs: impl Iterator<Item = (String, String)>) -> Self {
        let mut reader = Self { values: HashMap::new(), mistakes: Vec::new() };
        for (name, text) in pairs {
            reader.values.insert(name, Value { text, origin: Origin::Environment });
        }
        reader.add_files();
        reader
    }

    fn add_dot_env(&mut self) {
        let lines = match dotenvy::from_path_iter(".env") {
            Ok(lines) => lines,
            Err(error) if error.not_found() => return,
            Err(_) => {
                self.mistakes.push(".env: the file cannot be read".to_owned());
                return;
            }
        };
        for line in lines {
            // The error would repeat the line, which may hold a secret.
            let Ok((name, text)) = line else {
                self.mistakes.push(".env: a line is not NAME=value".to_owned());
                break;
            };
            if table::find(&name).is_none()
                && name.strip_suffix("_FILE").and_then(table::find).is_none()
            {
                self.mistakes.push(format!(
                    ".env: {name} is not a setting; see `portcullis config --reference`"
                ));
                continue;
            }
            self.values.entry(name).or_insert(Value { text, origin: Origin::DotEnv });
        }
        self.add_files();
    }

    /// `NAME_FILE` stands for the content of a file.
    fn add_files(&mut self) {
        for setting in SETTINGS.iter().filter(|setting| setting.is_secret) {
            let Some(path) = self.values.remove(&format!("{}_FILE", setting.name)) else {
                continue;
            };
            if self.values.contains_key(setting.name) {
                self.mistakes
                    .push(format!("{0}: set either it or {0}_FILE, not both", setting.name));
                continue;
            }
            match std::fs::read_to_string(&path.text) {
                Ok(text) => {
                    let text = text.trim_end_matches(['\r', '\n']).to_owned();
                    let value = Value { text, origin: Origin::File };
                    self.values.insert(setting.name.to_owned(), value);
                }
                Err(error) => {
                    self.mistakes.push(format!("{}_FILE: {}: {error}", setting.name, path.text));
                }
            }
        }
    }

    /// A setting that has a default.
    pub(super) fn get<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        self.add_default(name);
        let value = self.optional(name, parse)?;
        value.ok_or_else(|| {
            self.mistakes.push(format!("{name}: must be set"));
            Wrong
        })
    }

    /// A setting that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Wrong> {
        let is_secret = table::find(name).is_some_and(|setting| setting.is_secret);
        let Some(value) = self.values.get(name) else { return Ok(None) };
        let text = value.text.trim();
        if text.is_empty() && !is_secret {
            return Ok(None);
        }
        match parse(text) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(problem) => {
                let shown = if is_secret { String::new() } else { format!("{text:?} ") };
                self.mistakes.push(format!("{name}: {shown}{problem}"));
                Err(Wrong)
            }
        }
    }

    /// A setting that this version cannot honour.
    pub(super) fn refuse(&mut self, name: &'static str, why: &'static str) {
        if self.values.get(name).is_some_and(|value| !value.text.trim().is_empty()) {
            self.mistakes.push(format!("{name}: {why}"));
        }
    }

    fn add_default(&mut self, name: &'static str) {
        let is_set = self.values.get(name).is_some_and(|value| !value.text.trim().is_empty());
        if is_set {
            return;
        }
        let text = match table::find(name).map(|setting| setting.default) {
            Some(Preset::Text(text)) => {
                let port = self.values.get("PORT").map_or("8000", |port| port.text.trim());
                text.replace("{PORT}", port)
            }
            Some(Preset::Derived(_, derive)) => derive(),
            Some(Preset::Nothing(_)) | None => return,
        };
        self.values.insert(name.to_owned(), Value { text, origin: Origin::Default });
    }

    /// All settings as they are in effect, a line each.
    pub(super) fn effective(&self) -> String {
        let mut text = String::new();
        for setting in SETTINGS {
            let value = self.values.get(setting.name).filter(|value| !value.text.is_empty());
            let (shown, origin) = match (value, setting.default) {
                (Some(_), _) if setting.is_secret => ("********", "set"),
                (Some(value), _) => (
                    value.text.as_str(),
                    match value.origin {
                        Origin::Environment => "environment",
                        Origin::DotEnv => ".env",
                        Origin::File => "file",
                        Origin::Default => "default",
                    },
                ),
                (None, Preset::Nothing(told)) => ("", told),
                (None, _) => ("", "default"),
            };
            let _ = writeln!(text, "{:<56} # {origin}", format!("{}={shown}", setting.name));
        }
        text
    }

    /// Every mistake, if there are any.
    pub(super) fn finish(self) -> Result<(), InvalidSettings> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(InvalidSettings(self.mistakes)) }
    }
}
