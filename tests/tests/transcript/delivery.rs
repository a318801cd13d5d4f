//! Mails as their readers have them, however they came.

use std::sync::Arc;

use portcullis_domain::ports::Mailbox;
use portcullis_testkit::{SmtpMessage, SmtpSink};

/// Most mails that one round brings.
const PLENTY: u32 = 100;

/// Where the mails of a mix end up.
pub(crate) enum Delivery {
    /// In the development mailbox.
    Mailbox(Arc<dyn Mailbox>),
    /// With an SMTP server.
    Smtp { sink: SmtpSink, seen: usize },
}

/// A mail, in the form that all ways of delivery have in common.
#[derive(Debug)]
pub(crate) struct Received {
    /// The letter it is made of: over SMTP the left side of its `Message-ID`.
    pub(crate) letter: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

impl Received {
    /// The token of its link.
    pub(crate) fn token(&self) -> String {
        let link = self.text.lines().find(|line| line.starts_with("http")).unwrap();
        link.rsplit(['/', '=']).next().unwrap().to_owned()
    }
}

impl Delivery {
    /// The mails of one round that sent so many, by letter: a round delivers
    /// side by side, so they arrive in any order.
    pub(crate) async fn take(&mut self, sent: u32) -> Vec<Received> {
        let mut mails: Vec<Received> = match self {
            Self::Mailbox(mailbox) => {
                let messages = mailbox.list(None, PLENTY).await.unwrap();
                mailbox.clear().await.unwrap();
                messages
                    .into_iter()
                    .map(|message| Received {
                        letter: message.id.to_string(),
                        from: message.from,
                        to: message.to,
                        subject: message.subject,
                        text: same_line_ends(&message.text),
                        html: same_line_ends(&message.html),
                    })
                    .collect()
            }
            Self::Smtp { sink, seen } => {
                let all = sink.wait_for(*seen + sent as usize).await;
                let new = all.iter().skip(*seen).map(received).collect();
                *seen = all.len();
                new
            }
        };
        mails.sort_by(|one, other| one.letter.cmp(&other.letter));
        assert_eq!(mails.len(), sent as usize, "{mails:?}");
        mails
    }
}

fn received(message: &SmtpMessage) -> Received {
    let id = message.message_id();
    let (letter, _) = id.split_once('@').unwrap();
    assert_eq!(message.to(), message.envelope_to, "the envelope names who the header names");
    Received {
        letter: letter.to_owned(),
        from: message.from(),
        to: message.to().join(", "),
        subject: message.subject(),
        text: same_line_ends(&message.text()),
        html: same_line_ends(&message.html()),
    }
}

/// SMTP writes every line end `CRLF`, and the last one belongs to the boundary
/// of the part.
fn same_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}
