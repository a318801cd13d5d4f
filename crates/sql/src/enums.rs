//! Enumerations as the words that stand in the tables.

use portcullis_domain::purchase::AppStoreEnvironment;
use portcullis_domain::{
    AuditKind, Contract, EndReason, IdentitySource, LetterKind, Purpose, StoreError,
};

use crate::error::corrupt;

/// An enumeration and its words; reading is the inverse of writing by
/// construction.
pub(crate) trait Words: Copy + 'static {
    const NAME: &'static str;
    const ALL: &'static [Self];

    fn word(self) -> &'static str;

    fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.iter().copied().find(|value| value.word() == word);
        found.ok_or_else(|| corrupt(Self::NAME))
    }
}

macro_rules! words {
    ($type:ident, $name:literal: $($variant:ident = $word:literal),+ $(,)?) => {
        impl Words for $type {
            const NAME: &'static str = $name;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words!(Contract, "a contract": Json = "json", Form = "form");
words!(EndReason, "an end's reason":
    Logout = "logout", PasswordReset = "password_reset", Reuse = "reuse",
    Displaced = "displaced");
words!(IdentitySource, "an identity provider": Firebase = "firebase");
words!(AppStoreEnvironment, "an App Store": Sandbox = "Sandbox", Production = "Production");
words!(Purpose, "a purpose":
    EmailVerification = "email_verification", PasswordReset = "password_reset");
words!(LetterKind, "a letter's kind":
    Verification = "verification",
    PasswordReset = "password_reset",
    Welcome = "welcome",
    PasswordChanged = "password_changed",
    AccountLocked = "account_locked",
    RefreshTokenReused = "refresh_token_reused",
    RegistrationAttempted = "registration_attempted",
);
words!(AuditKind, "an audit event's kind":
    Registered = "registered",
    RegistrationAttempted = "registration_attempted",
    EmailVerified = "email_verified",
    PasswordReset = "password_reset",
    Locked = "locked",
    IdentityLinked = "identity_linked",
    RefreshTokenReused = "refresh_token_reused",
);
