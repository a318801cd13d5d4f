//! What an access token is good for.

/// An OAuth scope of Google's: <https://developers.google.com/identity/protocols/oauth2/scopes>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope(&'static str);

impl Scope {
    /// Firebase Authentication's users. Identity Toolkit publishes no narrower scope
    /// that all of its methods take; what the account may do is its roles' affair.
    pub const IDENTITY: Self = Self("https://www.googleapis.com/auth/cloud-platform");
    /// Firebase Cloud Messaging.
    pub const MESSAGING: Self = Self("https://www.googleapis.com/auth/firebase.messaging");
    /// Firestore.
    pub const DATASTORE: Self = Self("https://www.googleapis.com/auth/datastore");
    /// Cloud Storage: objects and buckets.
    pub const STORAGE: Self = Self("https://www.googleapis.com/auth/devstorage.full_control");

    /// A scope that is not listed here.
    #[must_use]
    pub const fn new(url: &'static str) -> Self {
        Self(url)
    }

    /// The URL that names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}
