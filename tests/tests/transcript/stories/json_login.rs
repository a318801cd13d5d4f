//! Contract A's login.

use serde_json::json;

use super::{LOG_IN, PASSWORD, log_in, me};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("login by JSON", "192.0.2.30");
    let access = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200).access();
    talk.say(me(&access)).await.is(200);
    talk.say(log_in(" Ann@EXAMPLE.com ", PASSWORD)).await.is(200);
    talk.say(log_in("ann@example.com", "a wrong password")).await.is(400);
    talk.say(log_in("ann@example.com", "")).await.is(400);
    talk.say(log_in("nobody@example.com", PASSWORD)).await.is(400);
    talk.say(log_in("ann", PASSWORD)).await.is(422);
    talk.say(post(LOG_IN).json(&json!({}))).await.is(422);
    talk.say(post(LOG_IN).json(&json!({"email": true, "password": null}))).await.is(422);
    let unnamed = json!({"email": "ann@example.com", "password": PASSWORD}).to_string();
    talk.say(post(LOG_IN).bytes(unnamed.clone())).await.is(200);
    talk.say(post(LOG_IN).body("application/xml", unnamed)).await.is(415);
    talk.say(
        post(LOG_IN)
            .header("user-agent", "transcript/1 \u{e9}")
            .json(&json!({"email": "ann@example.com", "password": PASSWORD, "remember": true})),
    )
    .await
    .is(200);
}
