//! Too many wrong passwords: five from one address, eight from all.

use std::time::Duration;

use super::{PASSWORD, ask_reset, log_in, log_in_by_form, me, reset};
use crate::conversation::Conversation;

const WRONG: &str = "a wrong password";

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("lockout", "192.0.2.100");
    let before = talk.say(log_in("dan@example.com", PASSWORD)).await.is(200);
    for _ in 0..5 {
        talk.say(log_in("dan@example.com", WRONG)).await.is(400);
    }
    talk.say(log_in("dan@example.com", WRONG)).await.is(429);
    talk.say(log_in("DAN@example.com", PASSWORD)).await.is(429);
    talk.say(log_in_by_form("dan@example.com", PASSWORD)).await.is(429);
    talk.hurry(true);
    talk.say(me(&before.access())).await.is(200);
    let mails = talk.mails().await;
    assert_eq!(mails.len(), 1, "the owner is told");
    talk.from("192.0.2.101");
    talk.say(log_in("dan@example.com", PASSWORD)).await.is(200);
    talk.from("192.0.2.100");
    // Three attempts took half a minute: the lock has a second left.
    talk.wait(Duration::from_secs(59 * 60 + 29), "an hour passes, but for a second");
    talk.say(log_in("dan@example.com", PASSWORD)).await.is(429);
    talk.wait(Duration::from_secs(1), "a second passes");
    talk.say(log_in("dan@example.com", PASSWORD)).await.is(200);

    talk.story("lockout of nobody", "192.0.2.102");
    for _ in 0..5 {
        talk.say(log_in_by_form("nobody", WRONG)).await.is(401);
    }
    talk.say(log_in_by_form("Nobody", WRONG)).await.is(429);
    talk.mails().await;

    talk.story("lockout from everywhere", "192.0.2.103");
    for last in 103..111 {
        talk.from(&format!("192.0.2.{last}"));
        talk.say(log_in("bob@example.com", WRONG)).await.is(400);
    }
    talk.from("192.0.2.111");
    talk.say(log_in("bob@example.com", super::OTHER_PASSWORD)).await.is(429);
    talk.mails().await;

    talk.story("a reset lifts the lock", "192.0.2.112");
    talk.say(ask_reset("bob@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    talk.say(reset(&token, PASSWORD)).await.is(200);
    talk.say(log_in("bob@example.com", PASSWORD)).await.is(200);
    talk.mails().await;
}
