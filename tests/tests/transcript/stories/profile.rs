//! Both contracts' profiles, and who may see them.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{ME, PASSWORD, USERS_ME, log_in, log_in_by_form, me, users_me};
use crate::conversation::Conversation;
use crate::request::{get, request};

pub(super) async fn tell(talk: &mut Conversation) {
    strangers(talk).await;
    changes(talk).await;
    expiry(talk).await;
}

async fn strangers(talk: &mut Conversation) {
    talk.story("profile, to strangers", "192.0.2.60");
    talk.say(get(ME)).await.is(403);
    talk.say(get(USERS_ME)).await.is(401);
    talk.say(get(ME).header("authorization", "Basic YW5uOng=")).await.is(403);
    talk.say(get(ME).header("authorization", "Bearer")).await.is(401);
    talk.say(me("garbage")).await.is(401);
    talk.say(users_me("garbage")).await.is(401);
    let nobody = talk.token_of_nobody();
    talk.say(me(&nobody)).await.is(401);
    talk.say(users_me(&nobody)).await.is(404);
    talk.say(request(Method::PATCH, ME).raw_json("{")).await.is(422);
    talk.say(request(Method::PATCH, ME).json(&json!({"name": 5}))).await.is(403);
}

async fn changes(talk: &mut Conversation) {
    talk.story("profile", "192.0.2.61");
    let access = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200).access();
    let patch = |body| request(Method::PATCH, ME).bearer(&access).json(&body);
    talk.say(me(&access)).await.is(200);
    talk.say(users_me(&access)).await.is(200);
    talk.say(patch(json!({}))).await.is(200);
    talk.say(patch(json!({"name": null}))).await.is(200);
    talk.say(patch(json!({"name": " "}))).await.is(422);
    talk.say(patch(json!({"name": 5}))).await.is(422);
    talk.say(patch(json!({"name": "  Ånn Lee Ünïcode 李  "}))).await.is(200);
    talk.say(patch(json!({"email": "x@example.com", "name": "Ann", "id": 7}))).await.is(200);
    talk.say(patch(json!({"name": "Ann"}))).await.is(200);
    talk.say(request(Method::PATCH, ME).bearer(&access)).await.is(200);
    talk.say(request(Method::PATCH, ME).bearer(&access).body("text/plain", "x")).await.is(415);
    talk.say(me(&access)).await.is(200);
    talk.say(users_me(&access)).await.is(200);
}

async fn expiry(talk: &mut Conversation) {
    talk.story("expired access tokens", "192.0.2.62");
    let by_json = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200).access();
    let by_form = talk.say(log_in_by_form("johndoe", PASSWORD)).await.is(200).access();
    talk.wait(Duration::from_mins(29), "29 minutes pass");
    talk.say(me(&by_json)).await.is(200);
    talk.wait(Duration::from_mins(1), "a minute passes");
    talk.say(me(&by_json)).await.is(401);
    talk.say(users_me(&by_json)).await.is(401);
    talk.say(users_me(&by_form)).await.is(200);
    talk.wait(Duration::from_mins(30), "half an hour passes");
    talk.say(users_me(&by_form)).await.is(401);
}
