//! A mail as a server got it.

use mail_parser::{Address, MessageParser};

/// A mail that arrived over SMTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpMessage {
    /// The envelope's sender (`MAIL FROM`).
    pub envelope_from: String,
    /// The envelope's recipients (`RCPT TO`).
    pub envelope_to: Vec<String>,
    /// Every byte of it, with the dots of transparency removed.
    pub raw: Vec<u8>,
}

impl SmtpMessage {
    fn parsed(&self) -> mail_parser::Message<'_> {
        MessageParser::default().parse(&self.raw).expect("a mail has headers")
    }

    /// The sender, `Name <address>`.
    #[must_use]
    pub fn from(&self) -> String {
        mailboxes(self.parsed().from()).join(", ")
    }

    /// The recipients that its header names.
    #[must_use]
    pub fn to(&self) -> Vec<String> {
        mailboxes(self.parsed().to())
    }

    /// The subject, decoded.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed().subject().unwrap_or_default().to_owned()
    }

    /// The plain text part, decoded.
    #[must_use]
    pub fn text(&self) -> String {
        self.part("plain")
    }

    /// The HTML part, decoded.
    #[must_use]
    pub fn html(&self) -> String {
        self.part("html")
    }

    /// The `Message-ID`, without its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> String {
        self.parsed().message_id().unwrap_or_default().to_owned()
    }

    /// The value of a header as it was sent, unfolded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.parsed();
        let mut headers = message.headers_raw();
        let (_, value) = headers.find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(value.replace("\r\n", "").trim().to_owned())
    }

    /// The names of its headers, in order.
    #[must_use]
    pub fn header_names(&self) -> Vec<String> {
        self.parsed().headers_raw().map(|(name, _)| name.to_owned()).collect()
    }

    /// The part of that subtype of `text`; never one made of the other.
    fn part(&self, subtype: &str) -> String {
        let message = self.parsed();
        let is_it = |part: &&mail_parser::MessagePart<'_>| {
            use mail_parser::MimeHeaders;
            part.content_type().is_some_and(|kind| kind.subtype() == Some(subtype))
        };
        let part = message.parts.iter().find(is_it);
        part.and_then(|part| part.text_contents()).unwrap_or_default().to_owned()
    }
}

fn mailboxes(address: Option<&Address<'_>>) -> Vec<String> {
    let mailboxes = address.into_iter().flat_map(Address::iter);
    let written = mailboxes.map(|mailbox| {
        let address = mailbox.address().unwrap_or_default();
        mailbox.name().map_or_else(|| address.to_owned(), |name| format!("{name} <{address}>"))
    });
    written.collect()
}
