//! Tokens that say nothing to anybody but this server.

use secrecy::SecretString;

use crate::ports::IdentifierDigest;
use crate::{LetterId, LoginIdentifier, Purpose, RefreshToken, Seed, SeedDigest, TokenDigest};

/// Everything that is keyed by the server's secret, but for access tokens.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait OpaqueTokens: Send + Sync {
    /// Seals a refresh token into its text. The same token always gives the
    /// same text, so a replayed request can be answered without storing it.
    fn seal(&self, token: &RefreshToken) -> SecretString;

    /// Opens a refresh token's text; `None` unless its seal is ours.
    fn unseal(&self, text: &str) -> Option<RefreshToken>;

    /// The digest that a session's row holds of its seed.
    fn digest_seed(&self, seed: Seed) -> SeedDigest;

    /// The one-time token that a letter carries: 256 bits, base64url. The same
    /// letter always gives the same token, so an attempt to send it again
    /// sends the same link.
    fn one_time_token(&self, purpose: Purpose, letter: LetterId) -> SecretString;

    /// The digest under which a store keeps a one-time token.
    fn digest_token(&self, text: &str) -> TokenDigest;

    /// The keyed digest under which login failures are counted, so that what
    /// people mistype into a login form is not kept in the clear.
    fn digest_identifier(&self, identifier: &LoginIdentifier) -> IdentifierDigest;
}
