//! The mailer that sends nothing: mails stay in the development mailbox.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::Mail;
use portcullis_domain::ports::{Clock, Mailbox, MailboxMessage, Mailer, MailerError};

/// Puts every mail into a [`Mailbox`] (`MAIL_PROVIDER=mailbox`).
pub struct MailboxMailer {
    mailbox: Arc<dyn Mailbox>,
    clock: Arc<dyn Clock>,
    from: String,
}

impl MailboxMailer {
    /// A mailer that fills that mailbox, as that sender.
    #[must_use]
    pub fn new(mailbox: Arc<dyn Mailbox>, clock: Arc<dyn Clock>, from: String) -> Self {
        Self { mailbox, clock, from }
    }
}

#[async_trait]
impl Mailer for MailboxMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        let message = MailboxMessage {
            id: mail.id,
            from: self.from.clone(),
            to: mail.to.to_string(),
            subject: mail.subject,
            text: mail.text,
            html: mail.html,
            sent_at: self.clock.now(),
        };
        self.mailbox.put(message).await.map_err(|error| MailerError::Temporary(error.into()))
    }
}
