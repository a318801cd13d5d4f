//! The outbox's mails, sent by a provider.

use async_trait::async_trait;
use portcullis_domain::Mail;
use portcullis_domain::ports::{Mailer, MailerError};

use crate::error::SendError;
use crate::message::{Draft, Message};
use crate::{Brevo, Resend};

/// A mail as a message. Its letter's id is the idempotency key, the same on
/// every attempt.
fn message(mail: Mail, sender: &str) -> Result<Message, MailerError> {
    let draft = Draft {
        from: sender.to_owned(),
        to: mail.to.as_str().into(),
        subject: mail.subject,
        html: Some(mail.html),
        text: Some(mail.text),
        // RFC 3834 §5: no vacation notice and no bounce of a robot comes back.
        headers: [("Auto-Submitted".to_owned(), "auto-generated".to_owned())].into(),
        idempotency_key: Some(mail.id.to_string()),
        ..Draft::default()
    };
    Message::new(draft).map_err(|error| MailerError::Permanent(error.into()))
}

/// That the provider took the letter on an earlier attempt is what this one was
/// for.
fn delivered<T>(sent: Result<T, SendError>) -> Result<(), MailerError> {
    match sent {
        Ok(_) | Err(SendError::Duplicate { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl Mailer for Resend {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        delivered(Resend::send(self, &message(mail, &self.sender)?).await)
    }
}

#[async_trait]
impl Mailer for Brevo {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        delivered(Brevo::send(self, &message(mail, &self.sender)?).await)
    }
}
