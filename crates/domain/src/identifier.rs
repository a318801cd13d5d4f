//! What a person types to say who they are.

use crate::{Email, Username};

/// A login identifier in canonical form: an e-mail address or a username.
///
/// The two never collide, since a username holds no `@`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoginIdentifier {
    /// Identifying by e-mail needs a verified e-mail (contract §1.2).
    Email(Email),
    /// Identifying by username does not.
    Username(Username),
}

impl LoginIdentifier {
    /// Reads an address where there is an `@`, else a username. `None` for text
    /// that no account can have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('@') {
            Email::parse(text).ok().map(Self::Email)
        } else {
            Username::parse(text.trim()).ok().map(Self::Username)
        }
    }

    /// The one spelling under which lookups and failure counters keep it.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::Email(email) => email.as_str().to_owned(),
            Self::Username(username) => username.canonical(),
        }
    }
}

impl From<Email> for LoginIdentifier {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_makes_it_an_address() {
        let canonical = |text| LoginIdentifier::parse(text).map(|found| found.canonical());
        assert_eq!(canonical("Ann@Example.com"), Some("ann@example.com".into()));
        assert_eq!(canonical("JohnDoe"), Some("johndoe".into()));
        assert_eq!(canonical("john doe"), None);
        assert_eq!(canonical("ann@"), None);
    }
}
