//! Contract B's sign-up and account.

use serde_json::json;

use super::{PASSWORD, SIGN_UP, me, sign_up, users_me};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("sign-up", "192.0.2.40");
    let access = talk.say(sign_up("johndoe", "john@example.com")).await.is(201).access();
    talk.say(users_me(&access)).await.is(200);
    talk.say(me(&access)).await.is(200);
    talk.mails().await;
    talk.say(sign_up("JohnDoe", "other@example.com")).await.is(400);
    talk.say(sign_up("johndoe2", "ann@example.com")).await.is(400);
    talk.say(sign_up("johndoe", "john@example.com")).await.is(400);
    let parts = [
        ("username", "Zoë"),
        ("email", "zoe@example.com"),
        ("password", PASSWORD),
        ("first_name", "Zoë"),
        ("last_name", "von Łukasz"),
    ];
    talk.say(post(SIGN_UP).multipart(&parts)).await.is(422);
    let parts = parts.map(|(name, value)| (name, if value == "Zoë" { "Zoe.L-1" } else { value }));
    let access = talk.say(post(SIGN_UP).multipart(&parts)).await.is(201).access();
    talk.say(users_me(&access)).await.is(200);

    talk.story("sign-up, refused", "192.0.2.41");
    talk.say(post(SIGN_UP).form(&[])).await.is(422);
    let wrong = [("username", "a b"), ("email", "x"), ("password", "p"), ("first_name", " ")];
    talk.say(post(SIGN_UP).form(&wrong)).await.is(422);
    let weak = [
        ("username", "secretagent"),
        ("email", "agent@example.com"),
        ("password", "SecretAgent"),
        ("first_name", "Secret"),
        ("last_name", "Agent"),
        ("role", "admin"),
    ];
    talk.say(post(SIGN_UP).form(&weak)).await.is(400);
    talk.say(post(SIGN_UP).json(&json!({"username": "johndoe3"}))).await.is(415);
    talk.say(post(SIGN_UP).raw_form("username=%FF")).await.is(422);
    talk.say(post(SIGN_UP).body("multipart/form-data; boundary=x", "--y")).await.is(422);
    talk.mails().await;
}
