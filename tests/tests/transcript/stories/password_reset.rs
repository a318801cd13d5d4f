//! Choosing a new password by mail.

use std::time::Duration;

use serde_json::json;

use super::{
    ASK_RESET, OTHER_PASSWORD, PASSWORD, RESET, ask_reset, log_in, me, refresh, register, reset,
};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    effects(talk).await;
    refusals(talk).await;
    unverified(talk).await;
    cap(talk).await;
}

async fn effects(talk: &mut Conversation) {
    talk.story("password reset", "192.0.2.130");
    let before = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);
    talk.say(ask_reset("ann@example.com")).await.is(200);
    talk.say(ask_reset("Ann@example.com")).await.is(200);
    let mails = talk.mails().await;
    let tokens: Vec<_> = mails.iter().map(crate::delivery::Received::token).collect();
    talk.say(ask_reset("nobody@example.com")).await.is(200);
    talk.mails().await;
    talk.say(reset(&tokens[0], "short")).await.is(400);
    talk.say(reset(&tokens[0], "ann@example.com")).await.is(400);
    talk.say(reset(&tokens[0], OTHER_PASSWORD)).await.is(200);
    talk.from("192.0.2.131");
    talk.say(reset(&tokens[0], OTHER_PASSWORD)).await.is(400);
    talk.say(reset(&tokens[1], OTHER_PASSWORD)).await.is(400);
    talk.say(me(&before.access())).await.is(401);
    talk.say(refresh(&before.refresh())).await.is(401);
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(400);
    talk.say(log_in("ann@example.com", OTHER_PASSWORD)).await.is(200);
    talk.mails().await;
}

async fn refusals(talk: &mut Conversation) {
    talk.story("password reset, refused", "192.0.2.132");
    talk.say(post(ASK_RESET).json(&json!({"email": "x"}))).await.is(422);
    talk.say(post(RESET).json(&json!({}))).await.is(422);
    talk.say(reset("garbage", OTHER_PASSWORD)).await.is(400);
    talk.say(reset("garbage", "short")).await.is(400);
    talk.say(ask_reset("ann@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    // A token of the one purpose is none of the other.
    talk.say(super::verify(&token)).await.is(400);
    talk.wait(Duration::from_hours(1), "an hour passes");
    talk.say(reset(&token, OTHER_PASSWORD)).await.is(400);
}

async fn unverified(talk: &mut Conversation) {
    talk.story("a reset proves the mailbox", "192.0.2.133");
    talk.say(register("fay@example.com", "Fay <b>& Söhne")).await.is(201);
    talk.mails().await;
    talk.say(ask_reset("fay@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    talk.say(reset(&token, OTHER_PASSWORD)).await.is(200);
    let access = talk.say(log_in("fay@example.com", OTHER_PASSWORD)).await.is(200).access();
    talk.say(me(&access)).await.is(200);
    talk.mails().await;
}

async fn cap(talk: &mut Conversation) {
    talk.story("five mails an hour", "192.0.2.134");
    for _ in 0..6 {
        talk.say(ask_reset("dan@example.com")).await.is(200);
    }
    let mails = talk.mails().await;
    assert_eq!(mails.len(), 5);
    talk.wait(Duration::from_hours(1), "an hour passes");
    talk.say(ask_reset("dan@example.com")).await.is(200);
    talk.mailed_token().await;
}
