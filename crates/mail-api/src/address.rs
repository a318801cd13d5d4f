//! Addresses with a display name.

/// `Name <address>` or `address`, taken apart. What an address may look like
/// is the provider's affair.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedAddress<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) address: &'a str,
}

impl<'a> NamedAddress<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let text = text.trim();
        let inside = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
        let Some((name, address)) = inside else {
            return Self { name: None, address: text };
        };
        let name = name.trim();
        let unquoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = unquoted.unwrap_or(name);
        Self { name: (!name.is_empty()).then_some(name), address: address.trim() }
    }

    /// Whether it can be a sender: one `@` between two words.
    pub(crate) fn is_plausible(&self) -> bool {
        let is_word = |text: &str| {
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "<>@".contains(c))
        };
        self.address
            .split_once('@')
            .is_some_and(|(local, domain)| is_word(local) && is_word(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<&str>, &str) {
        let parts = NamedAddress::of(text);
        (parts.name, parts.address)
    }

    #[test]
    fn a_name_is_taken_off() {
        assert_eq!(parts("Ann Lee <ann@example.com>"), (Some("Ann Lee"), "ann@example.com"));
        assert_eq!(parts("\"Lee, Ann\" <ann@example.com>"), (Some("Lee, Ann"), "ann@example.com"));
        assert_eq!(parts(" <ann@example.com> "), (None, "ann@example.com"));
        assert_eq!(parts("ann@example.com"), (None, "ann@example.com"));
    }

    #[test]
    fn a_sender_needs_an_address() {
        for text in ["ann@example.com", "Ann <noreply@localhost>"] {
            assert!(NamedAddress::of(text).is_plausible(), "{text}");
        }
        for text in ["", "Ann", "Ann <>", "ann@", "@example.com", "a b@c", "a@b@c", "Ann <a@b"] {
            assert!(!NamedAddress::of(text).is_plausible(), "{text}");
        }
    }
}
