//! What an access token says.

use crate::{AccessTokenId, SessionId, Timestamp, UserId};

/// The claims of an access token that are particular to it (contract §5).
///
/// The signer adds the rest: issuer, audience, type, algorithm and key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// `sub`: who bears it.
    pub user: UserId,
    /// `sid`: the session it belongs to.
    pub session: SessionId,
    /// `jti`: its own name.
    pub id: AccessTokenId,
    /// `iat`: when it was made, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`: when it stops working, in whole seconds.
    pub expires_at: Timestamp,
}
