//! Contract A's sessions: refresh tokens that rotate.

use std::time::Duration;

use serde_json::json;

use super::{PASSWORD, REFRESH, log_in, me, refresh, users_me};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("rotating session", "192.0.2.70");
    let first = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);
    let other = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);
    let second = talk.say(refresh(&first.refresh())).await.is(200);
    assert_ne!(first.refresh(), second.refresh(), "it rotates");
    talk.hurry(true);
    let replayed = talk.say(refresh(&first.refresh())).await.is(200);
    assert_eq!(replayed.refresh(), second.refresh(), "there is one successor");
    talk.hurry(false);
    talk.say(me(&first.access())).await.is(200);
    let third = talk.say(refresh(&second.refresh())).await.is(200);

    talk.story("stolen refresh token", "192.0.2.71");
    talk.say(refresh(&second.refresh())).await.is(401);
    talk.say(refresh(&third.refresh())).await.is(401);
    talk.say(me(&third.access())).await.is(401);
    talk.say(users_me(&third.access())).await.is(401);
    talk.say(me(&other.access())).await.is(200);
    let mails = talk.mails().await;
    assert_eq!(mails.len(), 1, "the owner is told");

    talk.story("refresh, refused", "192.0.2.72");
    talk.say(refresh("garbage")).await.is(401);
    talk.say(refresh("")).await.is(401);
    talk.say(refresh(&other.access())).await.is(401);
    talk.say(post(REFRESH).json(&json!({}))).await.is(422);
    talk.say(post(REFRESH).json(&json!({"refresh_token": null}))).await.is(422);
    talk.say(post(REFRESH).form(&[("refresh_token", "x")])).await.is(415);

    talk.story("end of a rotating session", "192.0.2.73");
    let next = talk.say(refresh(&other.refresh())).await.is(200);
    talk.wait(Duration::from_hours(29 * 24), "29 days pass");
    let last = talk.say(refresh(&next.refresh())).await.is(200);
    talk.wait(Duration::from_hours(24), "a day passes");
    talk.say(refresh(&last.refresh())).await.is(401);
    talk.say(me(&last.access())).await.is(401);
    assert!(talk.mails().await.is_empty(), "nobody is accused");
}
