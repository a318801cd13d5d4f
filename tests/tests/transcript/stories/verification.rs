//! Proving a mailbox.

use std::time::Duration;

use serde_json::json;

use super::{PASSWORD, RESEND, VERIFY, log_in, register, verify};
use crate::conversation::Conversation;
use crate::request::{get, post};

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("verification", "192.0.2.20");
    let resend = |email: &str| post(RESEND).json(&json!({"email": email}));
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(400);
    talk.say(log_in("ann@example.com", "a wrong password")).await.is(400);
    talk.say(resend("ann@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    talk.say(resend("nobody@example.com")).await.is(200);
    assert!(talk.mails().await.is_empty(), "there is nobody to write to");
    talk.say(resend("no address")).await.is(422);

    // A scanner follows the link, a browser shows the button, neither spends it.
    let link = format!("{VERIFY}/{token}");
    talk.say(get(link.clone()).browsing()).await.is(200);
    talk.say(get(link.clone())).await.is(200);
    talk.say(get(link.clone())).await.is(400);
    talk.say(verify(&token)).await.is(400);
    talk.mails().await;
    talk.say(resend("ann@example.com")).await.is(200);
    assert!(talk.mails().await.is_empty(), "it is proven already");
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);

    talk.say(resend("bob@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    talk.say(verify(&token)).await.is(200);
    talk.mails().await;
    talk.say(resend("carol@example.com")).await.is(200);
    let token = talk.mailed_token().await;
    talk.wait(Duration::from_hours(24) - Duration::from_secs(11), "almost a day passes");
    talk.say(get(format!("{VERIFY}/{token}x"))).await.is(400);
    talk.say(verify(&token)).await.is(400);

    talk.story("verification, refused", "192.0.2.21");
    talk.say(verify("")).await.is(400);
    talk.say(get(format!("{VERIFY}/%3Cscript%3E")).browsing()).await.is(200);
    talk.say(post(VERIFY).json(&json!({"token": 5}))).await.is(422);
    talk.say(post(VERIFY).raw_json("{")).await.is(422);
    talk.say(register("dan@example.com", "Dan")).await.is(201);
    talk.say(post(RESEND).json(&json!({"email": "dan@example.com"}))).await.is(200);
    let mails = talk.mails().await;
    // Both links work; the second finds nothing more to do.
    for mail in &mails {
        talk.say(verify(&mail.token())).await.is(200);
    }
    talk.mails().await;
}
