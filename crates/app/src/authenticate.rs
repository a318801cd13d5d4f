//! Finding out who bears an access token.

use std::sync::Arc;

use portcullis_domain::AccessClaims;
use portcullis_domain::ports::Caller;

use crate::failure::failures_become;
use crate::{App, Failure};

/// Why a bearer is nobody.
#[derive(Debug, thiserror::Error)]
pub enum AccessDenied {
    /// The token is not one of ours that is good now.
    #[error("the access token is invalid or expired")]
    InvalidToken,
    /// Its session ended.
    #[error("the access token has been revoked")]
    Revoked,
    /// Its user is gone.
    #[error("the user does not exist")]
    UserNotFound,
    /// Its user is disabled.
    #[error("the user is inactive")]
    UserInactive,
    /// It could not be found out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(AccessDenied);

impl App {
    /// Checks the token itself: form, signature, claims. No store is asked, so
    /// this is what a limit per user may be held against.
    ///
    /// # Errors
    /// [`AccessDenied::InvalidToken`].
    pub fn verify_access_token(&self, token: &str) -> Result<AccessClaims, AccessDenied> {
        let verified = self.ports.access_tokens.verify(token, self.now());
        verified.map_err(|_| AccessDenied::InvalidToken)
    }

    /// The same of a token that was checked before, if that is remembered: cheap enough
    /// for whoever is over their limit. `None` says nothing about the token.
    #[must_use]
    pub fn recall_access_token(&self, token: &str) -> Option<AccessClaims> {
        self.ports.access_tokens.recall(token, self.now())
    }

    /// Finds the session and the user that verified claims speak of.
    ///
    /// # Errors
    /// [`AccessDenied`] unless the session is live and its user active.
    pub async fn authenticate(&self, claims: &AccessClaims) -> Result<Arc<Caller>, AccessDenied> {
        let found = self.ports.callers.bearer(claims.session, claims.user).await?;
        self.recognise(claims, found).await
    }

    /// The same, for whoever has looked session and user up.
    ///
    /// # Errors
    /// [`AccessDenied`] unless the session is live and its user active.
    pub async fn recognise(
        &self,
        claims: &AccessClaims,
        found: Option<Arc<Caller>>,
    ) -> Result<Arc<Caller>, AccessDenied> {
        let Some(caller) = found else {
            let exists = self.ports.sessions.user_exists(claims.user).await?;
            return Err(if exists { AccessDenied::Revoked } else { AccessDenied::UserNotFound });
        };
        if caller.user.id != claims.user {
            return Err(AccessDenied::InvalidToken);
        }
        if !caller.user.is_active() {
            return Err(AccessDenied::UserInactive);
        }
        if !caller.session.is_live(self.now()) {
            return Err(AccessDenied::Revoked);
        }
        Ok(caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, password};
    use portcullis_domain::{AccessTokenId, SessionId, UserId};
    use std::time::Duration;

    #[tokio::test]
    async fn a_token_is_good_until_it_expires() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let tokens = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        stage.clock.advance(tokens.access_ttl.checked_sub(Duration::from_secs(1)).unwrap());
        assert!(stage.authenticate(&tokens).await.is_ok());
        stage.clock.advance(Duration::from_secs(1));
        assert!(matches!(
            stage.authenticate(&tokens).await.unwrap_err(),
            AccessDenied::InvalidToken
        ));
    }

    #[tokio::test]
    async fn well_signed_claims_of_nobody_are_refused() {
        let stage = Stage::new();
        let now = stage.app.now();
        let claims = AccessClaims {
            user: UserId::new(uuid::Uuid::from_u128(1)),
            session: SessionId::new(uuid::Uuid::from_u128(2)),
            id: AccessTokenId::new(uuid::Uuid::from_u128(3)),
            issued_at: now,
            expires_at: now + Duration::from_mins(1),
        };
        assert!(matches!(
            stage.app.authenticate(&claims).await.unwrap_err(),
            AccessDenied::UserNotFound
        ));
    }

    #[tokio::test]
    async fn a_subject_that_is_not_the_sessions_user_is_refused() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let bob = stage.verified("bob@example.com").await;
        let tokens = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let caller = stage.authenticate(&tokens).await.unwrap();
        let now = stage.app.now();
        let claims = AccessClaims {
            user: bob,
            session: caller.session.id,
            id: AccessTokenId::new(uuid::Uuid::from_u128(3)),
            issued_at: now,
            expires_at: now + Duration::from_mins(1),
        };
        assert!(matches!(
            stage.app.authenticate(&claims).await.unwrap_err(),
            AccessDenied::InvalidToken
        ));
    }
}
