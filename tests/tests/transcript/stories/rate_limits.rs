//! Each tier's limit, reached within a moment, and its end.

use std::time::Duration;

use super::{PASSWORD, REFRESH, log_in, me, users_me};
use crate::conversation::Conversation;
use crate::request::{get, post};

const WINDOW: Duration = Duration::from_mins(1);

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("strict limit", "192.0.2.120");
    talk.hurry(true);
    for _ in 0..8 {
        // A body that is refused counts as well.
        talk.say(post("/api/v1/auth/password-reset/confirm").raw_json("{")).await.is(422);
    }
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(429);
    talk.say(post("/api/v1/auth/signup").raw_form("")).await.is(429);
    talk.from("192.0.2.121");
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);
    talk.from("192.0.2.120");
    talk.say(get("/health")).await.is(200);
    let almost = WINDOW - Duration::from_micros(20);
    talk.wait(almost, "a minute passes, but for a moment");
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(429);
    talk.wait(Duration::from_micros(20), "a moment passes");
    talk.say(log_in("ann@example.com", PASSWORD)).await.is(200);

    talk.story("general limit", "192.0.2.122");
    talk.hurry(true);
    for _ in 0..10 {
        talk.say(get("/nothing")).await.is(404);
    }
    talk.say(post(REFRESH).raw_json("{")).await.is(429);
    talk.wait(WINDOW, "a minute passes");
    talk.say(get("/nothing")).await.is(404);

    talk.story("public limit", "192.0.2.123");
    talk.hurry(true);
    for _ in 0..9 {
        talk.say(get("/.well-known/jwks.json")).await.is(200);
    }
    talk.say(get("/health")).await.is(429);
    talk.wait(WINDOW, "a minute passes");
    talk.say(get("/health")).await.is(200);

    talk.story("limit of a user", "192.0.2.124");
    talk.hurry(true);
    let access = talk.say(log_in("ann@example.com", PASSWORD)).await.is(200).access();
    for _ in 0..7 {
        talk.say(me(&access)).await.is(200);
    }
    talk.from("192.0.2.125");
    talk.say(users_me(&access)).await.is(429);
    talk.say(get("/nothing")).await.is(404);
    talk.wait(WINDOW, "a minute passes");
    talk.say(users_me(&access)).await.is(200);
    talk.from("2001:db8::1");
    talk.say(get("/nothing")).await.is(404);
    // One network of IPv6 is one client.
    talk.from("2001:db8::2");
    talk.say(get("/nothing")).await.is(404);
    talk.from("2001:db8:0:1::1");
    talk.say(get("/nothing")).await.is(404);
}
