//! Signing and verifying access tokens.

use secrecy::SecretString;

use crate::{AccessClaims, Cause, Timestamp};

/// The token is not one that this server made and that is good now.
///
/// Deliberately without a reason: a caller is told none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid or expired access token")]
pub struct InvalidAccessToken;

/// A token could not be signed: a defect of a key or of ours.
#[derive(Debug, thiserror::Error)]
#[error("an access token could not be signed")]
pub struct SigningError(#[source] pub Cause);

/// Makes and checks access tokens (contract §5).
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AccessTokens: Send + Sync {
    /// Signs the claims with the key that signs now.
    ///
    /// # Errors
    /// [`SigningError`] when the key cannot.
    fn sign(&self, claims: AccessClaims) -> Result<SecretString, SigningError>;

    /// Checks form, algorithm, key, signature and claims as of `now`.
    ///
    /// # Errors
    /// [`InvalidAccessToken`] when anything is amiss.
    fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, InvalidAccessToken>;

    /// What [`verify`](Self::verify) would say of a token that was verified before, if
    /// that is remembered: told without the cost of a signature. `None` says nothing
    /// about the token.
    fn recall(&self, token: &str, now: Timestamp) -> Option<AccessClaims> {
        let _ = (token, now);
        None
    }

    /// The public keys as a JSON Web Key Set (RFC 7517 §5); empty when the
    /// algorithm is symmetric.
    fn public_keys(&self) -> String;
}
