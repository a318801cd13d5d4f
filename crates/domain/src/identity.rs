//! People as an identity provider knows them.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use crate::{Email, PhoneNumber, Timestamp};

/// A user's id at an identity provider: 1–128 characters, none of them a
/// control character (Firebase's bound; `OpenID` Connect Core §2 allows 255).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Subject(String);

/// The text is not a user's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 128 characters, none of them a control character")]
pub struct InvalidSubject;

impl Subject {
    /// Most characters.
    pub const MAX_CHARS: usize = 128;

    /// Takes an id as it is; nothing is trimmed.
    ///
    /// # Errors
    /// [`InvalidSubject`] when it is empty, too long or holds control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidSubject> {
        let is_subject = (1..=Self::MAX_CHARS).contains(&text.chars().count())
            && !text.chars().any(char::is_control);
        if is_subject { Ok(Self(text.to_owned())) } else { Err(InvalidSubject) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a claim of a token says: JSON's values.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number; never infinite.
    Float(f64),
    /// A text.
    Text(String),
    /// Several, in order.
    List(Vec<Claim>),
    /// Several, by name.
    Map(Claims),
}

/// Claims by name.
pub type Claims = BTreeMap<String, Claim>;

/// Who bears an ID token whose signature, issuer, audience and times hold.
#[derive(Clone, PartialEq)]
pub struct VerifiedIdentity {
    /// The user's id at the provider.
    pub subject: Subject,
    /// Who issued the token.
    pub issuer: String,
    /// For whom.
    pub audience: String,
    /// The address, if the token has one that Portcullis accepts.
    pub email: Option<Email>,
    /// Whether the provider has proven that the address is the user's; never
    /// without an address.
    pub email_verified: bool,
    /// What the user is called; as the user wrote it, unchecked.
    pub name: Option<String>,
    /// Where a picture lies; unchecked.
    pub picture: Option<String>,
    /// The telephone number.
    pub phone: Option<PhoneNumber>,
    /// When the user signed in, which may be long before the token was issued.
    pub authenticated_at: Timestamp,
    /// When the token was issued.
    pub issued_at: Timestamp,
    /// From when on the token is void.
    pub expires_at: Timestamp,
    /// By what the user signed in: `password`, `google.com`, `phone`, `custom`, …
    pub sign_in_provider: Option<String>,
    /// All other claims of the token.
    pub claims: Claims,
}

/// Tells the id alone.
impl fmt::Debug for VerifiedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedIdentity").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// By what a user is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityKey {
    /// The provider's id.
    Subject(Subject),
    /// The e-mail address.
    Email(Email),
    /// The telephone number.
    Phone(PhoneNumber),
}

/// A user's record at the provider.
#[derive(Clone, PartialEq)]
pub struct Identity {
    /// The provider's id.
    pub subject: Subject,
    /// The address, if there is one that Portcullis accepts.
    pub email: Option<Email>,
    /// Whether the address is proven; never without an address.
    pub email_verified: bool,
    /// What the user is called.
    pub name: Option<String>,
    /// Where a picture lies.
    pub picture: Option<String>,
    /// The telephone number.
    pub phone: Option<PhoneNumber>,
    /// Whether the user may not sign in.
    pub disabled: bool,
    /// When the record was made.
    pub created_at: Option<Timestamp>,
    /// When the user last signed in.
    pub signed_in_at: Option<Timestamp>,
    /// Tokens of sign-ins before this are revoked.
    pub tokens_valid_from: Option<Timestamp>,
    /// By what the user can sign in: `password`, `google.com`, `phone`, …
    pub sign_in_providers: Vec<String>,
    /// What [`set_custom_claims`](crate::ports::IdentityProvider::set_custom_claims) set.
    pub claims: Claims,
}

/// Tells the id alone.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A user to be created at the provider.
#[derive(Clone, Default)]
pub struct NewIdentity {
    /// The id; without one the provider chooses.
    pub subject: Option<Subject>,
    /// The e-mail address.
    pub email: Option<Email>,
    /// Whether the address counts as proven.
    pub email_verified: bool,
    /// What the user is called.
    pub name: Option<String>,
    /// Where a picture lies.
    pub picture: Option<String>,
    /// The telephone number.
    pub phone: Option<PhoneNumber>,
    /// The password; Firebase wants 6 characters at least.
    pub password: Option<SecretString>,
    /// Whether the user may not sign in yet.
    pub disabled: bool,
}

/// Tells the id alone.
impl fmt::Debug for NewIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewIdentity").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Some of a provider's users.
#[derive(Clone, Debug)]
pub struct IdentityPage {
    /// The users.
    pub identities: Vec<Identity>,
    /// What to ask the next page with; `None` after the last.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_1_to_128_characters() {
        assert_eq!(Subject::parse("a b/c").unwrap().as_str(), "a b/c");
        assert!(Subject::parse(&"ü".repeat(128)).is_ok());
        for text in ["", &"x".repeat(129), "a\nb", "\0"] {
            assert_eq!(Subject::parse(text), Err(InvalidSubject), "{text:?}");
        }
    }

    #[test]
    fn debug_tells_no_password_and_no_name() {
        let new = NewIdentity {
            name: Some("Ann".into()),
            password: Some("hunter22".into()),
            ..NewIdentity::default()
        };
        assert_eq!(format!("{new:?}"), "NewIdentity { subject: None, .. }");
    }
}
