//! Logging out: ending the session, whole and everywhere.

use portcullis_domain::ports::Caller;
use portcullis_domain::{EndReason, SessionEnd, SessionId, Timestamp};

use crate::failure::failures_become;
use crate::{App, Failure};

/// Why nobody was logged out.
#[derive(Debug, thiserror::Error)]
pub enum LogoutRefused {
    /// The refresh token is not one of the caller's live sessions.
    #[error("the refresh token is invalid")]
    InvalidRefreshToken,
    /// The session had ended in the meantime.
    #[error("the session has already ended")]
    AlreadyEnded,
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(LogoutRefused);

impl App {
    /// Ends the caller's session (contract B).
    ///
    /// # Errors
    /// [`LogoutRefused`]. Success means that the end is stored.
    pub async fn log_out(&self, caller: &Caller) -> Result<Timestamp, LogoutRefused> {
        let now = self.now();
        if self.end_session(caller, caller.session.id, now).await? {
            Ok(now)
        } else {
            Err(LogoutRefused::AlreadyEnded)
        }
    }

    /// Ends the caller's session and the one that the refresh token continues,
    /// which is usually the same (contract A).
    ///
    /// Any token that the live session ever gave out will do: whoever lost the
    /// answer to a refresh must still be able to log out.
    ///
    /// # Errors
    /// [`LogoutRefused`]; then nothing changes.
    pub async fn log_out_with(
        &self,
        caller: &Caller,
        refresh_token: &str,
    ) -> Result<(), LogoutRefused> {
        let tokens = &self.ports.opaque_tokens;
        let presented = tokens.unseal(refresh_token).ok_or(LogoutRefused::InvalidRefreshToken)?;
        let now = self.now();
        let named = if presented.session == caller.session.id {
            caller.session.clone()
        } else {
            let found = self.ports.sessions.caller(presented.session).await?;
            found.map(|found| found.session).ok_or(LogoutRefused::InvalidRefreshToken)?
        };
        let is_own = named.user_id == caller.user.id
            && named.seed_digest == tokens.digest_seed(presented.seed)
            && named.is_live(now);
        if !is_own {
            return Err(LogoutRefused::InvalidRefreshToken);
        }
        if named.id == caller.session.id {
            let ended = self.end_session(caller, named.id, now).await?;
            return if ended { Ok(()) } else { Err(LogoutRefused::AlreadyEnded) };
        }
        let end = SessionEnd { at: now, reason: EndReason::Logout };
        let mut unit = self.ports.store.begin().await?;
        // The account first: two logouts that name each other's session then
        // follow each other.
        unit.users().by_id(caller.user.id).await?;
        unit.sessions().end(named.id, caller.user.id, end).await?;
        unit.sessions().end(caller.session.id, caller.user.id, end).await?;
        unit.commit().await?;
        Ok(())
    }

    async fn end_session(
        &self,
        caller: &Caller,
        session: SessionId,
        at: Timestamp,
    ) -> Result<bool, Failure> {
        let end = SessionEnd { at, reason: EndReason::Logout };
        Ok(self.ports.sessions.end(session, caller.user.id, end).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, client, password};
    use secrecy::ExposeSecret;

    #[tokio::test]
    async fn logging_out_kills_both_tokens_at_once() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let tokens = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let caller = stage.authenticate(&tokens).await.unwrap();
        stage.app.log_out_with(&caller, tokens.refresh.expose_secret()).await.unwrap();
        assert!(stage.authenticate(&tokens).await.is_err());
        assert!(stage.app.refresh(tokens.refresh.expose_secret(), &client()).await.is_err());
        let again = stage.app.log_out(&caller).await.unwrap_err();
        assert!(matches!(again, LogoutRefused::AlreadyEnded));
    }

    #[tokio::test]
    async fn somebody_elses_refresh_token_changes_nothing() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        stage.verified("bob@example.com").await;
        let ann = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let bob = stage.log_in("bob@example.com", password()).await.unwrap().tokens;
        let caller = stage.authenticate(&ann).await.unwrap();
        let refused = stage.app.log_out_with(&caller, bob.refresh.expose_secret()).await;
        assert!(matches!(refused.unwrap_err(), LogoutRefused::InvalidRefreshToken));
        assert!(stage.authenticate(&ann).await.is_ok());
        assert!(stage.authenticate(&bob).await.is_ok());
    }

    #[tokio::test]
    async fn a_refresh_token_of_an_own_other_session_ends_both() {
        let stage = Stage::new();
        stage.verified("ann@example.com").await;
        let phone = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let laptop = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        let caller = stage.authenticate(&phone).await.unwrap();
        stage.app.log_out_with(&caller, laptop.refresh.expose_secret()).await.unwrap();
        assert!(stage.authenticate(&phone).await.is_err());
        assert!(stage.authenticate(&laptop).await.is_err());
    }
}
