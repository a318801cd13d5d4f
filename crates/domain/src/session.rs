//! Sessions: one row each, with a counter that refresh tokens are held against.

use std::time::Duration;

use crate::{Client, RefreshToken, SeedDigest, SessionId, Timestamp, UserId};

/// Most sessions of one user that are live at a time, over both contracts. A
/// login beyond them ends the oldest (OWASP ASVS 5.0 §7.1.2).
pub const MAX_LIVE_SESSIONS: usize = 100;

/// The published contract under which a session was opened, and whose life
/// times it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// Contract A: JSON, e-mail.
    Json,
    /// Contract B: forms, username.
    Form,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Its owner logged out.
    Logout,
    /// Its owner's password was reset.
    PasswordReset,
    /// A refresh token that had been rotated out was presented again.
    Reuse,
    /// Its owner logged in [`MAX_LIVE_SESSIONS`] times since.
    Displaced,
}

/// When and why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// A login: from its opening until it ends or expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name; the `sid` claim.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Under which contract it was opened.
    pub contract: Contract,
    /// Whether each refresh replaces the refresh token.
    pub rotates: bool,
    /// Digest of the seed that its refresh tokens carry.
    pub seed_digest: SeedDigest,
    /// The counter of the refresh token that is good now.
    pub counter: u32,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the counter last moved; [`Session::opened_at`] at first.
    pub rotated_at: Timestamp,
    /// When it was last refreshed; [`Session::opened_at`] at first.
    pub last_used_at: Timestamp,
    /// When it ends at the latest. Refreshing does not move it.
    pub expires_at: Timestamp,
    /// When and why it ended before that.
    pub end: Option<SessionEnd>,
    /// Who opened it.
    pub client: Client,
}

/// What a presented refresh token means for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// It is the good one.
    Current,
    /// It was the good one a moment ago: two tabs, a lost answer. The same
    /// successor is due again.
    Replayed,
    /// It was rotated out long ago: somebody has a copy.
    Reused,
    /// It is not a token of a live session.
    Refused,
}

impl Session {
    /// Whether the session is live: it neither ended nor expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.end.is_none() && now < self.expires_at
    }

    /// The counter that a refresh moves the session on to.
    #[must_use]
    pub const fn next_counter(&self) -> u32 {
        if self.rotates { self.counter.saturating_add(1) } else { self.counter }
    }

    /// Decides what presenting `token` means at `now`. A token may be replayed
    /// until `grace` has passed since the rotation that replaced it.
    #[must_use]
    pub fn judge(
        &self,
        token: &RefreshToken,
        digest: SeedDigest,
        now: Timestamp,
        grace: Duration,
    ) -> Presentation {
        if token.session != self.id || digest != self.seed_digest || !self.is_live(now) {
            return Presentation::Refused;
        }
        if token.counter == self.counter {
            return Presentation::Current;
        }
        // A counter from the future has the server's own seal, so it can only
        // come from a store that was set back; refuse, but accuse nobody.
        if token.counter > self.counter {
            return Presentation::Refused;
        }
        let is_last = token.counter == self.counter - 1;
        if is_last && now.since(self.rotated_at) <= grace {
            Presentation::Replayed
        } else {
            Presentation::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, SourceAddress};
    use uuid::Uuid;

    const GRACE: Duration = Duration::from_secs(10);
    const OPENED: Timestamp = Timestamp::from_seconds(1_000);

    fn session(counter: u32) -> Session {
        Session {
            id: SessionId::new(Uuid::from_u128(1)),
            user_id: UserId::new(Uuid::from_u128(2)),
            contract: Contract::Json,
            rotates: true,
            seed_digest: SeedDigest([7; 32]),
            counter,
            opened_at: OPENED,
            rotated_at: OPENED,
            last_used_at: OPENED,
            expires_at: OPENED + Duration::from_hours(1),
            end: None,
            client: Client { source: SourceAddress::new([192, 0, 2, 1].into()), user_agent: None },
        }
    }

    fn judge(session: &Session, counter: u32, after: Duration) -> Presentation {
        let token = RefreshToken { session: session.id, counter, seed: Seed([0; 16]) };
        session.judge(&token, SeedDigest([7; 32]), OPENED + after, GRACE)
    }

    #[test]
    fn the_current_token_is_good_until_the_session_expires() {
        let session = session(3);
        let life = Duration::from_hours(1);
        assert_eq!(
            judge(&session, 3, life.checked_sub(Duration::from_micros(1)).unwrap()),
            Presentation::Current
        );
        assert_eq!(judge(&session, 3, life), Presentation::Refused);
    }

    #[test]
    fn the_last_token_may_be_replayed_within_the_grace() {
        let session = session(3);
        assert_eq!(judge(&session, 2, GRACE), Presentation::Replayed);
        assert_eq!(judge(&session, 2, GRACE + Duration::from_micros(1)), Presentation::Reused);
    }

    #[test]
    fn an_older_token_is_theft_at_any_time() {
        assert_eq!(judge(&session(3), 1, Duration::ZERO), Presentation::Reused);
    }

    #[test]
    fn an_ended_session_refuses_everything() {
        let mut session = session(3);
        session.end = Some(SessionEnd { at: OPENED, reason: EndReason::Logout });
        for counter in 0..5 {
            assert_eq!(judge(&session, counter, Duration::ZERO), Presentation::Refused);
        }
    }

    #[test]
    fn a_foreign_seed_or_a_counter_from_the_future_accuses_nobody() {
        let session = session(3);
        let token = RefreshToken { session: session.id, counter: 0, seed: Seed([0; 16]) };
        let foreign = session.judge(&token, SeedDigest([8; 32]), OPENED, GRACE);
        assert_eq!(foreign, Presentation::Refused);
        assert_eq!(judge(&session, 4, Duration::ZERO), Presentation::Refused);
    }

    #[test]
    fn a_fixed_session_keeps_its_counter() {
        let mut session = session(0);
        assert_eq!(session.next_counter(), 1);
        session.rotates = false;
        assert_eq!(session.next_counter(), 0);
    }
}
