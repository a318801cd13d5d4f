//! The mailbox in which a developer reads what the server mailed.

use std::time::Duration;

use portcullis_testkit::SmtpMessage;
use reqwest::Method;
use serde_json::Value;

use crate::{Anonymous, Answer, eventually};

/// How long a mail may take.
const DELIVERY: Duration = Duration::from_secs(15);

/// The mailbox of everybody.
#[derive(Clone, Debug)]
pub struct Mailbox {
    caller: Anonymous,
}

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What it is about.
    pub subject: String,
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
}

impl From<&SmtpMessage> for Mail {
    fn from(mail: &SmtpMessage) -> Self {
        Self { subject: mail.subject(), text: mail.text(), html: mail.html() }
    }
}

impl Mail {
    /// The only link in the text part.
    #[must_use]
    #[track_caller]
    pub fn link(&self) -> &str {
        let mut links = self.text.split_whitespace().filter(|word| word.contains("://"));
        let link = links.next().unwrap_or_else(|| panic!("no link: {}", self.text));
        assert!(links.next().is_none(), "more than one link: {}", self.text);
        link
    }

    /// The token in the link.
    #[must_use]
    #[track_caller]
    pub fn token(&self) -> String {
        self.link().rsplit(['/', '=']).next().unwrap().to_owned()
    }
}

impl Mailbox {
    pub(crate) fn of(caller: Anonymous) -> Self {
        Self { caller }
    }

    /// The mailbox as the route tells it, with a query such as `?to=…`.
    pub async fn answer(&self, query: &str) -> Answer {
        let request = self.caller.request(Method::GET, &format!("/dev/mailbox{query}"));
        Answer::to(request.header("accept", "application/json")).await
    }

    /// All mails to an address so far, newest first.
    pub async fn all(&self, to: &str) -> Vec<Mail> {
        let answer = self.answer(&format!("?to={}", to.replace('+', "%2B"))).await.expect(200);
        answer.body["messages"].as_array().unwrap().iter().map(mail).collect()
    }

    /// How many mails of a subject an address has so far.
    pub async fn count(&self, to: &str, subject: &str) -> usize {
        self.all(to).await.iter().filter(|mail| mail.subject == subject).count()
    }

    /// Waits until an address has that many mails of a subject: newest first.
    pub async fn mails(&self, to: &str, subject: &str, count: usize) -> Vec<Mail> {
        self.mails_within(to, subject, count, DELIVERY).await
    }

    /// The same, where a mail may take longer.
    pub async fn mails_within(
        &self,
        to: &str,
        subject: &str,
        count: usize,
        within: Duration,
    ) -> Vec<Mail> {
        eventually(&format!("{count} x {subject:?} to {to}"), within, async || {
            let mut mails = self.all(to).await;
            mails.retain(|mail| mail.subject == subject);
            (mails.len() >= count).then_some(mails)
        })
        .await
    }

    /// Waits for the newest mail of a subject to an address.
    pub async fn mail(&self, to: &str, subject: &str) -> Mail {
        self.mails(to, subject, 1).await.swap_remove(0)
    }

    /// Empties it.
    pub async fn empty(&self) -> Answer {
        Answer::to(self.caller.request(Method::DELETE, "/dev/mailbox")).await
    }
}

fn mail(message: &Value) -> Mail {
    let text = |key: &str| message[key].as_str().expect("a mail's parts are texts").to_owned();
    Mail { subject: text("subject"), text: text("text"), html: text("html") }
}
