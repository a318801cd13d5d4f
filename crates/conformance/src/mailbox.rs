//! Laws of the development mailbox.

use portcullis_domain::ports::{MAILBOX_CAPACITY, MailboxMessage};

use crate::Stores;
use crate::build::{START, TICK, letter};

fn message(to: &str, number: u32) -> MailboxMessage {
    MailboxMessage {
        id: letter("any").id,
        from: "Portcullis <noreply@localhost>".into(),
        to: to.into(),
        subject: format!("Number {number}"),
        text: "text\nwith lines".into(),
        html: "<p>html & such</p>".into(),
        sent_at: START + TICK * number,
    }
}

/// As many as are asked for, each as it was put.
pub async fn messages_are_listed_newest_first(stores: &Stores) {
    let messages: Vec<_> = (0..3).map(|number| message("ann@example.com", number)).collect();
    for message in &messages {
        stores.mailbox.put(message.clone()).await.unwrap();
    }
    let [oldest, middle, newest] = messages.try_into().unwrap();
    let listed = stores.mailbox.list(None, 10).await.unwrap();
    assert_eq!(listed, [newest.clone(), middle.clone(), oldest]);
    assert_eq!(stores.mailbox.list(None, 2).await.unwrap(), [newest, middle]);
}

/// Filtered by the whole address.
pub async fn a_recipients_messages_are_found(stores: &Stores) {
    let (anns, bobs) = (message("ann@example.com", 1), message("bob@example.com", 2));
    stores.mailbox.put(anns.clone()).await.unwrap();
    stores.mailbox.put(bobs).await.unwrap();
    let to = |text: &str| Some(text.to_owned());
    assert_eq!(stores.mailbox.list(to("ann@example.com"), 10).await.unwrap(), [anns]);
    assert_eq!(stores.mailbox.list(to("example.com"), 10).await.unwrap(), []);
}

/// A second attempt to send is still one message.
pub async fn a_message_is_kept_once(stores: &Stores) {
    let message = message("ann@example.com", 1);
    stores.mailbox.put(message.clone()).await.unwrap();
    stores.mailbox.put(message.clone()).await.unwrap();
    assert_eq!(stores.mailbox.list(None, 10).await.unwrap(), [message]);
}

/// Emptying leaves nothing.
pub async fn an_emptied_mailbox_is_empty(stores: &Stores) {
    stores.mailbox.put(message("ann@example.com", 1)).await.unwrap();
    stores.mailbox.clear().await.unwrap();
    assert_eq!(stores.mailbox.list(None, 10).await.unwrap(), []);
}

/// A mailbox that nobody empties stays small.
pub async fn a_full_mailbox_forgets_its_oldest(stores: &Stores) {
    for number in 0..=MAILBOX_CAPACITY {
        stores.mailbox.put(message("ann@example.com", number)).await.unwrap();
    }
    let kept = stores.mailbox.list(None, 2 * MAILBOX_CAPACITY).await.unwrap();
    let subjects: Vec<_> = kept.iter().map(|message| message.subject.as_str()).collect();
    assert_eq!(subjects.len(), MAILBOX_CAPACITY as usize);
    assert_eq!(subjects.first(), Some(&"Number 500"));
    assert_eq!(subjects.last(), Some(&"Number 1"));
}
