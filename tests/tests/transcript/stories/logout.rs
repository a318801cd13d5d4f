//! Both contracts' logout.

use serde_json::json;

use super::{LOG_OUT, PASSWORD, log_in, log_in_by_form, log_out, me, refresh, users_me};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    with_a_body(talk).await;
    without_a_body(talk).await;
}

async fn with_a_body(talk: &mut Conversation) {
    talk.story("logout with a body", "192.0.2.90");
    let ann = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);
    let dan = talk.say(log_in("dan@example.com", PASSWORD)).await.is(200);
    let body = json!({"refresh_token": ann.refresh()});
    talk.say(post(LOG_OUT).json(&body)).await.is(401);
    talk.say(post(LOG_OUT).bearer("garbage").json(&body)).await.is(401);
    talk.say(post(LOG_OUT).bearer(&ann.access()).raw_json("{")).await.is(422);
    talk.say(post(LOG_OUT).bearer(&ann.access()).json(&json!({}))).await.is(422);
    talk.say(log_out(&ann.access(), "garbage")).await.is(401);
    talk.say(log_out(&ann.access(), &dan.refresh())).await.is(401);
    talk.from("192.0.2.91");
    talk.say(me(&dan.access())).await.is(200);
    talk.say(me(&ann.access())).await.is(200);
    talk.say(log_out(&ann.access(), &ann.refresh())).await.is(204);
    talk.say(log_out(&ann.access(), &ann.refresh())).await.is(401);
    talk.say(me(&ann.access())).await.is(401);
    talk.say(users_me(&ann.access())).await.is(401);
    talk.say(refresh(&ann.refresh())).await.is(401);

    talk.story("logout of two sessions", "192.0.2.92");
    let other = talk.say(log_in("dan@example.com", PASSWORD)).await.is(200);
    talk.say(log_out(&other.access(), &dan.refresh())).await.is(204);
    talk.say(me(&dan.access())).await.is(401);
    talk.say(me(&other.access())).await.is(401);
    talk.say(refresh(&other.refresh())).await.is(401);
}

async fn without_a_body(talk: &mut Conversation) {
    talk.story("logout without a body", "192.0.2.93");
    let john = talk.say(log_in_by_form("johndoe", PASSWORD)).await.is(200);
    let fresh = talk.say(refresh(&john.refresh())).await.is(200);
    talk.say(post(LOG_OUT)).await.is(401);
    talk.say(post(LOG_OUT).bearer("garbage")).await.is(401);
    let nobody = talk.token_of_nobody();
    talk.say(post(LOG_OUT).bearer(&nobody)).await.is(401);
    talk.say(post(LOG_OUT).bearer(&john.access())).await.is(200);
    talk.say(post(LOG_OUT).bearer(&john.access())).await.is(401);
    talk.say(users_me(&fresh.access())).await.is(401);
    talk.say(me(&fresh.access())).await.is(401);
    talk.say(refresh(&john.refresh())).await.is(401);
}
