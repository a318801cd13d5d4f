//! What time removes.

use std::time::Duration;

use super::{OTHER_PASSWORD, PASSWORD, log_in, me, register, users_me, verified};
use crate::conversation::Conversation;

const DAY: Duration = Duration::from_hours(24);

pub(super) async fn tell(talk: &mut Conversation) {
    talk.story("removal", "192.0.2.140");
    talk.purge().await;
    talk.say(register("gil@example.com", "Gil")).await.is(201);
    talk.mails().await;
    talk.say(log_in("gil@example.com", PASSWORD)).await.is(400);
    talk.say(register("gil@example.com", "Gil")).await.is(400);
    talk.wait(3 * DAY, "three days pass");
    talk.purge().await;
    talk.say(log_in("gil@example.com", PASSWORD)).await.is(400);
    verified(talk, "gil@example.com", "Gil again").await;
    let access = talk.say(log_in("gil@example.com", PASSWORD)).await.is(200).access();
    talk.say(users_me(&access)).await.is(200);

    talk.wait(31 * DAY, "a month passes");
    talk.purge().await;
    talk.say(me(&access)).await.is(401);
    talk.say(log_in("ann@example.com", OTHER_PASSWORD)).await.is(200);
    talk.wait(366 * DAY, "a year passes");
    talk.purge().await;
    talk.purge().await;
    let access = talk.say(log_in("gil@example.com", PASSWORD)).await.is(200).access();
    talk.say(users_me(&access)).await.is(200);
    talk.mails().await;
}
