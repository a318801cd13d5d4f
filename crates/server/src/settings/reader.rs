//! Reading settings one by one, and keeping account of all of them.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::io::ErrorKind;

use super::dot_env;
use super::table::{self, Preset, SETTINGS, Secrecy};

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

impl InvalidSettings {
    /// Each mistake, which names its setting.
    pub(crate) fn mistakes(&self) -> &[String] {
        &self.0
    }
}

/// A setting is wrong; the reader has taken note of it.
#[derive(Debug)]
pub(crate) struct Wrong;

/// Hands out settings and collects what is wrong with them.
pub(super) struct Reader {
    values: HashMap<String, Value>,
    mistakes: Vec<String>,
}

impl Reader {
    /// The process's environment, then the `.env` file of the working directory.
    pub(super) fn from_environment() -> Self {
        let mut unreadable = Vec::new();
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            if let Ok(value) = value.into_string() {
                return Some((name, value));
            }
            if table::is_known(&name) {
                unreadable.push(format!("{name}: must be UTF-8"));
            }
            None
        });
        let environment: Vec<_> = environment.collect();
        let mut reader = Self::from_pairs(environment.into_iter());
        reader.mistakes.extend(unreadable);
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
        let text = match std::fs::read_to_string(".env") {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => {
                self.mistakes.push(format!(".env: the file cannot be read: {error}"));
                return;
            }
        };
        let mut pairs = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            match dot_env::parse(line) {
                Ok(Some((name, _))) if !table::is_known(name) => self.mistakes.push(format!(
                    ".env, line {number}: {name} is not a setting; see `portcullis config --reference`"
                )),
                Ok(Some((name, text))) => pairs.push((name.to_owned(), text.to_owned())),
                Ok(None) => {}
                // The line itself is not repeated: it may hold a secret.
                Err(dot_env::NotAPair) => {
                    self.mistakes.push(format!(".env, line {number}: must be NAME=value"));
                }
            }
        }
        for (name, text) in pairs {
            self.values.entry(name).or_insert(Value { text, origin: Origin::DotEnv });
        }
        self.add_files();
    }

    /// `NAME_FILE` stands for the content of a file.
    fn add_files(&mut self) {
        for setting in SETTINGS.iter().filter(|setting| setting.is_secret()) {
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
        let secrecy = table::find(name).map_or(Secrecy::Open, |setting| setting.secrecy);
        let Some(value) = self.values.get(name) else { return Ok(None) };
        // A secret is taken as it is given, and an empty one is a mistake; so is
        // an empty list of origins, which would otherwise open to all.
        let is_verbatim = secrecy == Secrecy::Secret;
        let text = if is_verbatim { value.text.as_str() } else { value.text.trim() };
        if text.is_empty() && !is_verbatim && name != "CORS_ORIGINS" {
            return Ok(None);
        }
        match parse(text) {
            Ok(parsed) => Ok(Some(parsed)),
            Err(problem) => {
                let is_open = secrecy == Secrecy::Open;
                let shown = if is_open { format!("{text:?} ") } else { String::new() };
                self.mistakes.push(format!("{name}: {shown}{problem}"));
                Err(Wrong)
            }
        }
    }

    /// Takes note of what is wrong with several settings together.
    pub(super) fn object(&mut self, name: &'static str, why: &str) {
        self.mistakes.push(format!("{name}: {why}"));
    }

    fn add_default(&mut self, name: &'static str) {
        let set = self.values.get(name);
        if set.is_some_and(|value| !value.text.trim().is_empty() || name == "CORS_ORIGINS") {
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
                (Some(_), _) if setting.secrecy == Secrecy::Secret => ("********".into(), "set"),
                (Some(value), _) => (
                    shown(value, setting.secrecy),
                    match value.origin {
                        Origin::Environment => "environment",
                        Origin::DotEnv => ".env",
                        Origin::File => "file",
                        Origin::Default => "default",
                    },
                ),
                (None, Preset::Nothing(told)) => (String::new(), told),
                (None, _) => (String::new(), "default"),
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

/// As much of a value as may be shown. Of an address, what stands before its
/// last `@` may be a password, and so may an option of that name.
fn shown(value: &Value, secrecy: Secrecy) -> String {
    match secrecy {
        Secrecy::Open => value.text.clone(),
        Secrecy::Address => {
            let masked = match (value.text.split_once("://"), value.text.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://********@{rest}"),
                _ => value.text.clone(),
            };
            match masked.split_once('?') {
                Some((base, options)) if options.contains("password") => {
                    format!("{base}?********")
                }
                _ => masked,
            }
        }
        Secrecy::Secret => "********".to_owned(),
    }
}
