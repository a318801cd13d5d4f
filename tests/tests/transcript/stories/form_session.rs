//! Contract B's sessions: a refresh token that stays.

use std::time::Duration;

use super::{PASSWORD, log_in_by_form, refresh, users_me};
use crate::conversation::Conversation;

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("fixed session", "192.0.2.80");
    let first = talk.say(log_in_by_form("johndoe", PASSWORD)).await.is(200);
    let second = talk.say(refresh(&first.refresh())).await.is(200);
    assert_eq!(first.refresh(), second.refresh(), "it stays");
    talk.say(users_me(&first.access())).await.is(200);
    talk.say(users_me(&second.access())).await.is(200);
    talk.wait(Duration::from_hours(23), "23 hours pass");
    let third = talk.say(refresh(&first.refresh())).await.is(200);
    talk.say(users_me(&third.access())).await.is(200);
    talk.wait(Duration::from_mins(59), "59 minutes pass");
    // The access token would still be good; its session is over.
    talk.say(refresh(&first.refresh())).await.is(401);
    talk.say(users_me(&third.access())).await.is(401);
}
