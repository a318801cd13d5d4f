//! Contract A's registration, and what is wrong with bodies.

use serde_json::json;

use super::{OTHER_PASSWORD, PASSWORD, REGISTER, register};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    accounts(talk).await;
    passwords(talk).await;
    fields(talk).await;
    bodies(talk).await;
}

async fn accounts(talk: &mut Conversation) {
    talk.story("registration", "192.0.2.10");
    talk.say(register("ann@example.com", "Ann Lee")).await.is(201);
    talk.say(register("ann@example.com", "Ann Lee")).await.is(400);
    talk.say(register(" ANN@Example.COM ", "Somebody else")).await.is(400);
    talk.say(register("ann+1@example.com", "Ann's other address")).await.is(201);
    talk.say(register("zoe@bücher.example", "  Zoë Łukasz 李 🙂 ")).await.is(201);
    let unknown = json!({
        "email": "carol@example.com", "name": "Carol", "password": PASSWORD,
        "email_verified": true, "id": 1, "username": "carol", "role": {"admin": true},
    });
    talk.say(post(REGISTER).json(&unknown)).await.is(201);
    let bob = json!({"email": "bob@example.com", "name": "Bob", "password": OTHER_PASSWORD});
    talk.say(post(REGISTER).bytes(bob.to_string())).await.is(201);
    let mails = talk.mails().await;
    assert_eq!(mails.len(), 5);
}

async fn passwords(talk: &mut Conversation) {
    talk.story("password policy", "192.0.2.11");
    let with = |password: &str| {
        let body = json!({"email": "eve@example.com", "name": "Eve Adams", "password": password});
        post(REGISTER).json(&body)
    };
    talk.say(with("short")).await.is(400);
    talk.say(with("password")).await.is(400);
    talk.say(with("EVE@example.com")).await.is(400);
    talk.say(with("eve adams")).await.is(400);
    talk.say(with(&"x".repeat(1025))).await.is(422);
}

async fn fields(talk: &mut Conversation) {
    talk.story("fields", "192.0.2.12");
    let say = |body| post(REGISTER).json(&body);
    talk.say(say(json!({}))).await.is(422);
    talk.say(say(json!({"email": null, "name": 5, "password": ["x"]}))).await.is(422);
    talk.say(say(json!({"email": "nobody", "name": "   ", "password": PASSWORD}))).await.is(422);
    let long = json!({"email": "eve@example.com", "name": "é".repeat(256), "password": PASSWORD});
    talk.say(say(long)).await.is(422);
    let control = json!({"email": "e@[127.0.0.1]", "name": "a\u{0}b", "password": PASSWORD});
    talk.say(say(control)).await.is(422);
}

async fn bodies(talk: &mut Conversation) {
    talk.story("bodies", "192.0.2.13");
    talk.say(post(REGISTER).raw_json("{\"email\": ")).await.is(422);
    talk.say(post(REGISTER).raw_json("[1, 2]")).await.is(422);
    talk.say(post(REGISTER).raw_json("{\"name\": \"a\", \"name\": \"b\"}")).await.is(422);
    talk.say(post(REGISTER)).await.is(422);
    talk.say(post(REGISTER).body("text/plain", "email=x")).await.is(415);
    talk.say(post(REGISTER).form(&[("email", "eve@example.com")])).await.is(415);
    talk.say(post(REGISTER).raw_json(&" ".repeat(65_537))).await.is(413);
    talk.say(post(REGISTER).raw_json(&" ".repeat(65_536))).await.is(422);
}
