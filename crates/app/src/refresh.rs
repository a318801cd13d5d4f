//! Refreshing a session.

use portcullis_domain::ports::Caller;
use portcullis_domain::{
    AuditEvent, AuditKind, Client, EndReason, LetterKind, Presentation, RefreshToken, SessionEnd,
    UserId,
};

use crate::failure::failures_become;
use crate::{App, Failure, Tokens};

/// A session was refreshed.
#[derive(Debug)]
pub struct Refreshed {
    /// The tokens to go on with.
    pub tokens: Tokens,
    /// What became of the refresh token that was presented. Its bearer sees that
    /// from the tokens alone.
    pub refreshment: Refreshment,
}

/// What became of a good refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshment {
    /// It was replaced by the next one.
    Rotated,
    /// It stays the one to present.
    Kept,
    /// It had been replaced a moment ago; its successor was given out once more.
    Replayed,
}

/// Why a session was not refreshed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshRefused {
    /// The token is made up, unknown, expired or ended; which one is not told.
    #[error("the refresh token is invalid or expired")]
    InvalidToken,
    /// It was rotated out before, and its session has ended for that. The client
    /// is told the same; the log is told this.
    #[error("the refresh token was used before")]
    Reused(UserId),
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(RefreshRefused);

impl App {
    /// Gives a fresh access token, and the refresh token to use next.
    ///
    /// One statement when the token is the good one; none when its seal is
    /// not ours.
    ///
    /// # Errors
    /// [`RefreshRefused`]. A token that was rotated out longer ago than the
    /// grace also ends its session: somebody has a copy.
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<Refreshed, RefreshRefused> {
        let presented =
            self.ports.opaque_tokens.unseal(token).ok_or(RefreshRefused::InvalidToken)?;
        let digest = self.ports.opaque_tokens.digest_seed(presented.seed);
        let now = self.now();
        let advanced =
            self.ports.sessions.advance(presented.session, presented.counter, digest, now).await?;
        if let Some(session) = advanced {
            let tokens = self.issue_tokens(&session, &presented.at(session.counter))?;
            let refreshment =
                if session.rotates { Refreshment::Rotated } else { Refreshment::Kept };
            return Ok(Refreshed { tokens, refreshment });
        }

        let found = self.ports.sessions.caller(presented.session).await?;
        let caller = found.ok_or(RefreshRefused::InvalidToken)?;
        match caller.session.judge(&presented, digest, now, self.rules.refresh_grace) {
            Presentation::Replayed if caller.user.is_active() => {
                let successor = presented.at(caller.session.counter);
                let tokens = self.issue_tokens(&caller.session, &successor)?;
                Ok(Refreshed { tokens, refreshment: Refreshment::Replayed })
            }
            Presentation::Reused => {
                self.end_for_reuse(&caller, &presented, client).await?;
                Err(RefreshRefused::Reused(caller.user.id))
            }
            Presentation::Current | Presentation::Replayed | Presentation::Refused => {
                Err(RefreshRefused::InvalidToken)
            }
        }
    }

    async fn end_for_reuse(
        &self,
        caller: &Caller,
        presented: &RefreshToken,
        client: &Client,
    ) -> Result<(), Failure> {
        let now = self.now();
        let end = SessionEnd { at: now, reason: EndReason::Reuse };
        let event = AuditEvent {
            kind: AuditKind::RefreshTokenReused,
            at: now,
            user: Some(caller.user.id),
            session: Some(presented.session),
            source: Some(client.source),
        };
        let recipient = caller.user.email.clone().into();
        let letter = self.letter(LetterKind::RefreshTokenReused, recipient, client);
        let mut unit = self.ports.store.begin().await?;
        if unit.sessions().end(presented.session, caller.user.id, end).await? {
            unit.audit().record(&event).await?;
            unit.outbox().enqueue(&letter, self.rules.mail_cap).await?;
            unit.commit().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, client, password};
    use portcullis_domain::ports::Store;
    use secrecy::ExposeSecret;
    use std::time::Duration;

    async fn logged_in(stage: &Stage) -> Tokens {
        stage.verified("ann@example.com").await;
        stage.mails().await;
        stage.log_in("ann@example.com", password()).await.unwrap().tokens
    }

    async fn refresh(stage: &Stage, tokens: &Tokens) -> Result<Tokens, RefreshRefused> {
        Ok(refresh_in_some_way(stage, tokens).await?.tokens)
    }

    async fn refresh_in_some_way(
        stage: &Stage,
        tokens: &Tokens,
    ) -> Result<Refreshed, RefreshRefused> {
        stage.app.refresh(tokens.refresh.expose_secret(), &client()).await
    }

    #[tokio::test]
    async fn a_refresh_replaces_the_refresh_token() {
        let stage = Stage::new();
        let first = logged_in(&stage).await;
        let second = refresh(&stage, &first).await.unwrap();
        assert_ne!(first.refresh.expose_secret(), second.refresh.expose_secret());
        assert!(stage.authenticate(&second).await.is_ok());
        assert!(refresh(&stage, &second).await.is_ok());
    }

    #[tokio::test]
    async fn a_replay_within_the_grace_gets_the_same_successor() {
        let stage = Stage::new();
        let first = logged_in(&stage).await;
        let second = refresh(&stage, &first).await.unwrap();
        stage.clock.advance(Duration::from_secs(10));
        let replayed = refresh(&stage, &first).await.unwrap();
        assert_eq!(replayed.refresh.expose_secret(), second.refresh.expose_secret());
    }

    #[tokio::test]
    async fn what_became_of_a_token_is_told() {
        let stage = Stage::new();
        let first = logged_in(&stage).await;
        let rotated = refresh_in_some_way(&stage, &first).await.unwrap();
        assert_eq!(rotated.refreshment, Refreshment::Rotated);
        let replayed = refresh_in_some_way(&stage, &first).await.unwrap();
        assert_eq!(replayed.refreshment, Refreshment::Replayed);
        let form = stage.sign_up("johndoe", "john@example.com").await.unwrap();
        let kept = refresh_in_some_way(&stage, &form).await.unwrap();
        assert_eq!(kept.refreshment, Refreshment::Kept);
    }

    #[tokio::test]
    async fn a_used_refresh_token_ends_the_session() {
        let stage = Stage::new();
        let first = logged_in(&stage).await;
        let second = refresh(&stage, &first).await.unwrap();
        stage.clock.advance(Duration::from_micros(10_000_001));
        assert!(refresh(&stage, &first).await.is_err());
        assert!(refresh(&stage, &second).await.is_err());
        assert!(stage.authenticate(&second).await.is_err());
        let mails = stage.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].subject.contains("signed out"));
        let mut unit = stage.store.begin().await.unwrap();
        let identifier = crate::stage::email("ann@example.com").into();
        let user = unit.users().by_identifier(&identifier).await.unwrap().unwrap();
        let events = unit.audit().of_user(user.id, 1).await.unwrap();
        assert_eq!(events[0].kind, AuditKind::RefreshTokenReused);
    }

    #[tokio::test]
    async fn other_sessions_of_the_same_user_live_on() {
        let stage = Stage::new();
        let first = logged_in(&stage).await;
        let other = stage.log_in("ann@example.com", password()).await.unwrap().tokens;
        refresh(&stage, &first).await.unwrap();
        stage.clock.advance(Duration::from_secs(11));
        assert!(refresh(&stage, &first).await.is_err());
        assert!(stage.authenticate(&other).await.is_ok());
    }

    #[tokio::test]
    async fn a_session_ends_in_time_however_often_it_is_refreshed() {
        let stage = Stage::with_rules(|rules| rules.json.session_ttl = Duration::from_secs(3));
        let mut tokens = logged_in(&stage).await;
        for _ in 0..2 {
            stage.clock.advance(Duration::from_secs(1));
            tokens = refresh(&stage, &tokens).await.unwrap();
        }
        stage.clock.advance(Duration::from_secs(1));
        assert!(refresh(&stage, &tokens).await.is_err());
    }

    #[tokio::test]
    async fn contract_b_keeps_its_refresh_token() {
        let stage = Stage::new();
        let first = stage.sign_up("johndoe", "john@example.com").await.unwrap();
        for _ in 0..3 {
            let again = refresh(&stage, &first).await.unwrap();
            assert_eq!(again.refresh.expose_secret(), first.refresh.expose_secret());
            assert_eq!(again.access_ttl, Duration::from_hours(1));
        }
    }

    #[tokio::test]
    async fn near_misses_are_refused_and_end_nothing() {
        let stage = Stage::new();
        let tokens = logged_in(&stage).await;
        let good = tokens.refresh.expose_secret();
        for miss in [
            String::new(),
            good[1..].to_owned(),
            good[..good.len() - 1].to_owned(),
            format!("{good}A"),
            format!("{good}="),
            format!(" {good}"),
            good.to_lowercase(),
            tokens.access.expose_secret().to_owned(),
        ] {
            assert!(stage.app.refresh(&miss, &client()).await.is_err(), "{miss}");
        }
        assert!(refresh(&stage, &tokens).await.is_ok());
    }
}
