//! A look at an SMTP server, which sends no mail.

use std::time::{Duration, Instant};

use lettre::transport::smtp::commands::{Mail, Noop};

use crate::InvalidSmtpMailer;
use crate::connection::Server;
use crate::error::{SmtpError, told_by};
use crate::sender;
use crate::settings::SmtpSettings;

/// What came of going as far as a mail would, short of naming a recipient.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// How long the least question took.
    pub round_trip: Duration,
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Whether a login was asked for, and so accepted.
    pub is_logged_in: bool,
}

/// Why a server could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// The settings make no mailer.
    #[error(transparent)]
    Settings(#[from] InvalidSmtpMailer),
    /// The server is away, or refuses.
    #[error(transparent)]
    Server(#[from] SmtpError),
}

/// Connects, encrypts, logs in and names the sender; then says good-bye.
///
/// # Errors
/// [`InspectionError`] tells how far that went.
pub async fn inspect(settings: &SmtpSettings, from: &str) -> Result<Inspection, InspectionError> {
    let sender = sender::parse(from).map_err(InvalidSmtpMailer::from)?;
    let server = Server::new(settings.clone()).map_err(InvalidSmtpMailer::from)?;
    let mut connection = server.connect().await?;
    let asked = Instant::now();
    let answer = connection.command(Noop).await;
    answer.map_err(|error| SmtpError::Unreachable(told_by(&error)))?;
    let round_trip = asked.elapsed();
    let answer = connection.command(Mail::new(Some(sender.email), Vec::new())).await;
    answer.map_err(|error| SmtpError::of_command(&error, SmtpError::SenderRefused))?;
    let inspection = Inspection {
        round_trip,
        is_encrypted: connection.is_encrypted(),
        is_logged_in: settings.login.is_some(),
    };
    // It forgets a mail that has no recipient (RFC 5321 §4.1.1.10).
    drop(connection.quit().await);
    Ok(inspection)
}
