//! The mailer over SMTP.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use portcullis_domain::Mail;
use portcullis_domain::ports::{Clock, Mailer, MailerError};

use crate::connection::{Server, UnusableAuthority, hand_over};
use crate::error::SmtpError;
use crate::idle::IdleConnections;
use crate::message::{self, Outgoing};
use crate::sender::{self, InvalidSender};
use crate::settings::SmtpSettings;

/// Why a mailer cannot be made of its settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtpMailer {
    /// `MAIL_FROM` is no mailbox.
    #[error(transparent)]
    Sender(#[from] InvalidSender),
    /// The file behind `ca=` is no list of certificates.
    #[error(transparent)]
    Authority(#[from] UnusableAuthority),
}

/// Hands mails to an SMTP server, over connections that are used again.
pub struct SmtpMailer {
    server: Server,
    sender: Mailbox,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    idle: IdleConnections,
}

impl SmtpMailer {
    /// A mailer to that server, as that sender: `Name <user@example.com>` or
    /// `user@example.com`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidSmtpMailer`] when the sender is no mailbox, or the certificate
    /// authority cannot be read.
    pub fn new(
        settings: SmtpSettings,
        sender: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidSmtpMailer> {
        let sender = sender::parse(sender)?;
        let timeout = settings.timeout;
        let server = Server::new(settings)?;
        Ok(Self { server, sender, timeout, clock, idle: IdleConnections::default() })
    }

    async fn deliver(&self, mail: &Outgoing) -> Result<(), SmtpError> {
        let mut connection = match self.idle.take().await {
            Some(connection) => connection,
            None => self.server.connect().await?,
        };
        hand_over(&mut connection, &self.sender.email, mail).await?;
        self.idle.put(connection);
        Ok(())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        let mail = message::write(&mail, &self.sender, self.clock.now())?;
        // lettre limits the time to connect only; this limits the whole.
        let delivered = tokio::time::timeout(self.timeout, self.deliver(&mail)).await;
        Ok(delivered.unwrap_or(Err(SmtpError::TimedOut))?)
    }
}

/// Tells no credentials.
impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("server", &self.server).finish_non_exhaustive()
    }
}
