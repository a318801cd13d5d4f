//! Why a mail did not go out.

use std::error::Error;

use lettre::transport::smtp;
use portcullis_domain::error::remark;
use portcullis_domain::ports::MailerError;

/// Why a mail did not go out over SMTP. It quotes neither the mail nor the
/// credentials: of what the server said, only plain words are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    /// The server cannot be reached, or nothing that it says can be trusted.
    #[error("the SMTP server cannot be reached: {0}")]
    Unreachable(String),
    /// The attempt took longer than the settings allow.
    #[error("the SMTP server did not finish in time")]
    TimedOut,
    /// The server does not let us in: wrong credentials, or none.
    #[error("the SMTP server refuses the login: {0}")]
    LoginRefused(String),
    /// The server does not send for the configured sender.
    #[error("the SMTP server refuses the sender: {0}")]
    SenderRefused(String),
    /// The server asks to come back later.
    #[error("the SMTP server asks to try again later: {0}")]
    Busy(String),
    /// The server refuses this recipient or this mail for good.
    #[error("the SMTP server refuses the mail: {0}")]
    Refused(String),
    /// The mail cannot be written down as a message.
    #[error("the mail cannot be sent: {0}")]
    Unsendable(&'static str),
}

impl SmtpError {
    /// What a command after the login was answered with; `refusal` is what a
    /// refusal for good of this command means.
    pub(crate) fn of_command(error: &smtp::Error, refusal: fn(String) -> Self) -> Self {
        if error.status().is_some_and(asks_for_login) {
            Self::LoginRefused(told_by(error))
        } else if error.is_permanent() {
            refusal(told_by(error))
        } else if error.is_transient() {
            Self::Busy(told_by(error))
        } else {
            Self::Unreachable(told_by(error))
        }
    }
}

/// 530 and 535 (RFC 4954 §6): about us, whatever the command.
fn asks_for_login(code: smtp::response::Code) -> bool {
    matches!(u16::from(code), 530 | 535)
}

/// The server's code and its plain words, or what broke on the way to it.
pub(crate) fn told_by(error: &smtp::Error) -> String {
    let deepest = deepest(error);
    match error.status() {
        Some(code) => format!("{code} {}", remark(&deepest)),
        // lettre quotes what it could not read.
        None if error.is_response() => "its answer is not SMTP".into(),
        None => deepest,
    }
}

fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

impl From<SmtpError> for MailerError {
    /// Only what is wrong with this one mail is for good. An operator can mend
    /// a login or a sender, and then every mail that waited goes out.
    fn from(error: SmtpError) -> Self {
        match error {
            SmtpError::Refused(_) | SmtpError::Unsendable(_) => Self::Permanent(error.into()),
            SmtpError::Unreachable(_)
            | SmtpError::TimedOut
            | SmtpError::LoginRefused(_)
            | SmtpError::SenderRefused(_)
            | SmtpError::Busy(_) => Self::Temporary(error.into()),
        }
    }
}
