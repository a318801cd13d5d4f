//! A message before it is checked.

use std::collections::BTreeMap;
use std::fmt;

/// A message before it is checked. Addresses are `user@example.com` or
/// `Name <user@example.com>`; their syntax is the provider's affair.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The sender.
    pub from: String,
    /// The recipients, one at least.
    pub to: Recipients,
    /// Who gets a copy; if given, one at least.
    pub cc: Option<Recipients>,
    /// Who gets a copy unseen by the others; if given, one at least.
    pub bcc: Option<Recipients>,
    /// Where replies go; if given, one at least. Brevo takes the first.
    pub reply_to: Option<Recipients>,
    /// The subject.
    pub subject: String,
    /// The HTML body.
    pub html: Option<String>,
    /// The plain text body.
    pub text: Option<String>,
    /// Files that go along.
    pub attachments: Vec<Attachment>,
    /// Labels for the provider's statistics. Brevo gets none.
    pub tags: Vec<Tag>,
    /// Additional headers of the mail.
    pub headers: BTreeMap<String, String>,
    /// When to send it, as the provider understands it; ISO 8601 for Brevo.
    pub scheduled_at: Option<String>,
    /// The topic that recipients may have unsubscribed from. Brevo gets none.
    pub topic_id: Option<String>,
    /// A template kept by the provider, instead of bodies.
    pub template: Option<Template>,
    /// Names this message: of all requests with one key, the provider takes
    /// one.
    pub idempotency_key: Option<String>,
}

/// A message may hold a token: its debug form, which ends up in logs, tells none.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(…)")
    }
}

/// One address or several.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Recipients(pub Vec<String>);

impl From<&str> for Recipients {
    fn from(address: &str) -> Self {
        Self(vec![address.into()])
    }
}

impl From<String> for Recipients {
    fn from(address: String) -> Self {
        Self(vec![address])
    }
}

impl From<Vec<String>> for Recipients {
    fn from(addresses: Vec<String>) -> Self {
        Self(addresses)
    }
}

impl<const N: usize> From<[&str; N]> for Recipients {
    fn from(addresses: [&str; N]) -> Self {
        Self(addresses.map(str::to_owned).into())
    }
}

/// A file that goes along: its content, or where the provider finds it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The name that the reader sees.
    pub filename: Option<String>,
    /// The bytes.
    pub content: Option<Vec<u8>>,
    /// A URL that the provider fetches.
    pub path: Option<String>,
    /// The media type. Brevo goes by the name.
    pub content_type: Option<String>,
    /// The name that the HTML body shows it by (`cid:`). Brevo knows none.
    pub content_id: Option<String>,
}

/// A label.
#[derive(Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name, 1 to 256 characters.
    pub name: String,
    /// Its value, 1 to 256 characters.
    pub value: String,
}

/// A template kept by the provider.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// Its id there; a number at Brevo.
    pub id: String,
    /// What it is filled with; if given, one at least.
    pub variables: Option<BTreeMap<String, Variable>>,
}

/// A value in a template.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Variable {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

impl From<&str> for Variable {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<i64> for Variable {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
