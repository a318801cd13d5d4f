//! Which laws there are: for tables, and to see that none was forgotten.

/// The lists themselves: what a macro expands to is what is told here.
const LISTS: &str = include_str!("lists.rs");

/// A law of the kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Law {
    /// The macro that lists it, like `store_laws`.
    pub family: &'static str,
    /// Its module in this crate, like `sessions`.
    pub module: &'static str,
    /// Its function.
    pub name: &'static str,
}

/// Every law, in the order of the lists.
#[must_use]
pub fn laws() -> Vec<Law> {
    let (mut family, mut module, mut laws) = ("", None, Vec::new());
    for line in LISTS.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("macro_rules! ") {
            family = name.trim_end_matches(" {");
        } else if let Some(list) = line.strip_prefix("$crate::laws!($fixture; ") {
            module = Some(list.trim_end_matches(':'));
        } else if line == ");" {
            module = None;
        } else if let (Some(module), Some(name)) = (module, line.strip_suffix(',')) {
            laws.push(Law { family, module, name });
        }
    }
    laws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_read() {
        let laws = laws();
        let first = Law {
            family: "store_laws",
            module: "accounts",
            name: "every_field_of_a_user_is_read_as_it_was_written",
        };
        assert_eq!(laws[0], first);
        assert_eq!(laws.len(), LISTS.lines().filter(|line| is_entry(line)).count());
        assert!(laws.iter().any(|law| law.family == "mailer_laws"));
        assert!(laws.iter().any(|law| law.family == "outage_laws"));
    }

    fn is_entry(line: &str) -> bool {
        let is_word = |text: &str| {
            text.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        };
        line.trim().strip_suffix(',').is_some_and(is_word)
    }
}
