//! Contract B's login.

use super::{LOG_IN, PASSWORD, log_in_by_form, users_me};
use crate::conversation::Conversation;
use crate::request::post;

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("login by form", "192.0.2.50");
    let access = talk.say(log_in_by_form("johndoe", PASSWORD)).await.is(200).access();
    talk.say(users_me(&access)).await.is(200);
    talk.say(log_in_by_form("JOHNDOE", PASSWORD)).await.is(200);
    let credentials = [("username", "johndoe"), ("password", PASSWORD)];
    talk.say(post(LOG_IN).multipart(&credentials)).await.is(200);
    let whole = [
        ("grant_type", "password"),
        ("scope", ""),
        ("client_id", "me"),
        ("client_secret", "x"),
        ("username", "johndoe"),
        ("password", PASSWORD),
    ];
    talk.say(post(LOG_IN).form(&whole)).await.is(200);
    talk.say(log_in_by_form("ann@example.com", PASSWORD)).await.is(200);
    talk.say(log_in_by_form("john@example.com", PASSWORD)).await.is(400);

    talk.story("login by form, refused", "192.0.2.51");
    talk.say(log_in_by_form("johndoe", "a wrong password")).await.is(401);
    talk.say(log_in_by_form("nobody", PASSWORD)).await.is(401);
    talk.say(log_in_by_form("no body", PASSWORD)).await.is(401);
    talk.say(log_in_by_form("johndoe", "")).await.is(422);
    let other_grant = [("grant_type", "client_credentials"), ("username", "johndoe")];
    talk.say(post(LOG_IN).form(&other_grant)).await.is(422);
    talk.say(post(LOG_IN).raw_form("username=a&username=b&password=c")).await.is(422);
}
