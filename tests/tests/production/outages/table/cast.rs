//! Who asks while something fails.

use portcullis_tests::{LoggedIn, PASSWORD};

use super::requests::{Request, Seen};
use super::world::{Dependency, World};
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

/// People and tokens for each request, prepared before anything fails. Nobody
/// has used a session before: no cache knows it.
pub(super) struct Cast {
    /// Makes addresses and names unique.
    pub(super) number: usize,
    /// Tokens that verify an address: one to post, one to open as a link.
    pub(super) verifications: [String; 2],
    /// A token for a new password.
    pub(super) reset: String,
    /// A session that goes on.
    pub(super) staying: LoggedIn,
    /// One whose refresh token is used.
    pub(super) refreshing: LoggedIn,
    /// Two that end while something fails, each by one contract.
    pub(super) leaving: [LoggedIn; 2],
    /// One that was used, and ended before anything failed.
    ended: LoggedIn,
}

impl Cast {
    pub(super) async fn prepare(world: &World, number: usize) -> Self {
        let anonymous = world.anonymous();
        let pending = [1, 2].map(|nth| format!("pending{number}-{nth}@example.com"));
        let forgetful = format!("forgetful{number}@example.com");
        for email in [&pending[0], &pending[1], &forgetful] {
            anonymous.register(email).await.is(201);
        }
        anonymous.request_reset(&forgetful).await.is(200);
        let ended = world.logged_in().await;
        ended.me().await.is(200);
        ended.log_out().await.is(204);
        Self {
            number,
            verifications: [
                world.sink.mail(&pending[0], VERIFICATION).await.token(),
                world.sink.mail(&pending[1], VERIFICATION).await.token(),
            ],
            reset: world.sink.mail(&forgetful, RESET).await.token(),
            staying: world.logged_in().await,
            refreshing: world.logged_in().await,
            leaving: [world.logged_in().await, world.logged_in().await],
            ended,
        }
    }

    /// A session that ended is over, whatever fails: refused, or not answered.
    pub(super) async fn ended_stays_ended(&self, world: &World, what: &str) {
        self.is_over(&self.ended, world, what).await;
    }

    /// A logout that was acknowledged holds, whatever failed meanwhile.
    pub(super) async fn left_is_left(&self, world: &World, seen: &[Seen], what: &str) {
        for (request, session) in [(Request::LogoutA, 0), (Request::LogoutB, 1)] {
            let answer = seen.iter().find(|seen| seen.request == request).unwrap();
            if answer.answer.status < 300 {
                self.is_over(&self.leaving[session], world, what).await;
            }
        }
    }

    async fn is_over(&self, session: &LoggedIn, world: &World, what: &str) {
        let nobody = format!("nobody{}@example.com", self.number);
        let (anonymous, refresh) = (world.anonymous(), session.anonymous());
        let (me, users_me, refreshed, login) = tokio::join!(
            session.me(),
            session.users_me(),
            refresh.refresh(&session.refresh),
            anonymous.log_in(&nobody, PASSWORD),
        );
        for (asked, refused, answer) in [
            ("me", 401, me),
            ("users/me", 401, users_me),
            ("refresh", 401, refreshed),
            ("login of nobody", 400, login),
        ] {
            let fair = [refused, 503].contains(&answer.status);
            assert!(fair, "{what}: {asked}, which is over: {answer:?}");
            if world.dependency != Dependency::Postgres {
                assert_eq!(answer.status, refused, "{what}: {asked}: {answer:?}");
            }
        }
    }
}
