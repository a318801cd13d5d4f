//! Connections to the server, ready to take mail.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use lettre::{Address, transport::smtp};
use portcullis_domain::Cause;
use secrecy::ExposeSecret;

use crate::error::{SmtpError, told_by};
use crate::message::Outgoing;
use crate::settings::{Login, Security, SmtpSettings};

/// Both are sent over TLS, or to this machine.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// The certificate authority that the settings name cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate authority {path:?} cannot be used")]
pub struct UnusableAuthority {
    path: PathBuf,
    source: Cause,
}

/// A server that mail is handed to.
pub(crate) struct Server {
    host: String,
    port: u16,
    security: Security,
    tls: TlsParameters,
    login: Option<Login>,
    hello: ClientId,
    /// lettre's limit per address; a host may have an address that is dead.
    connect_timeout: Duration,
}

impl Server {
    pub(crate) fn new(settings: SmtpSettings) -> Result<Self, UnusableAuthority> {
        Ok(Self {
            tls: tls(&settings)?,
            connect_timeout: settings.timeout / 3,
            host: settings.host,
            port: settings.port,
            security: settings.security,
            login: settings.login,
            hello: ClientId::default(),
        })
    }

    /// Connects, encrypts and logs in.
    pub(crate) async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let unreachable = |error| SmtpError::Unreachable(told_by(&error));
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.connect_timeout),
            &self.hello,
            (self.security == Security::Implicit).then(|| self.tls.clone()),
            None,
        )
        .await
        .map_err(unreachable)?;
        if self.security == Security::StartTls {
            connection.starttls(self.tls.clone(), &self.hello).await.map_err(unreachable)?;
        }
        if let Some(login) = &self.login {
            log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }
}

/// Tells no credentials.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// With an authority, only its certificates are trusted; otherwise those that
/// the machine trusts.
fn tls(settings: &SmtpSettings) -> Result<TlsParameters, UnusableAuthority> {
    let path = settings.authority.clone().unwrap_or_default();
    let unusable = |source: Cause| UnusableAuthority { path: path.clone(), source };
    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.authority {
        let pem = std::fs::read(path).map_err(|error| unusable(error.into()))?;
        let holds_one = pem.windows(27).any(|line| line == b"-----BEGIN CERTIFICATE-----");
        if !holds_one {
            return Err(unusable("it holds no PEM certificate".into()));
        }
        let authority = Certificate::from_pem(&pem).map_err(|error| unusable(error.into()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    tls.build().map_err(|error| unusable(error.into()))
}

async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), SmtpError> {
    let credentials =
        Credentials::new(login.user.clone(), login.password.expose_secret().to_owned());
    let refusal = connection.auth(&MECHANISMS, &credentials).await.err();
    // The server's words are left out: it may quote what it was sent.
    match refusal {
        None => Ok(()),
        Some(error) if error.is_transient() => {
            Err(SmtpError::Busy("it checks no login now".into()))
        }
        Some(error) => Err(match error.status() {
            Some(code) => SmtpError::LoginRefused(code.to_string()),
            None if error.is_client() => {
                SmtpError::LoginRefused("it offers neither PLAIN nor LOGIN".into())
            }
            None => SmtpError::Unreachable(told_by(&error)),
        }),
    }
}

/// Hands one mail over. After an error nobody knows what the connection
/// expects: it is not to be used again.
pub(crate) async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    sender: &Address,
    mail: &Outgoing,
) -> Result<(), SmtpError> {
    let from = Mail::new(Some(sender.clone()), Vec::new());
    let answer = connection.command(from).await;
    check(answer, Severity::PositiveCompletion, SmtpError::SenderRefused)?;
    let answer = connection.command(Rcpt::new(mail.to.clone(), Vec::new())).await;
    check(answer, Severity::PositiveCompletion, SmtpError::Refused)?;
    let answer = connection.command(Data).await;
    check(answer, Severity::PositiveIntermediate, SmtpError::Refused)?;
    let answer = connection.message(&mail.bytes).await;
    check(answer, Severity::PositiveCompletion, SmtpError::Refused)
}

/// lettre takes any positive answer to any command.
fn check(
    answer: Result<Response, smtp::Error>,
    expected: Severity,
    refusal: fn(String) -> SmtpError,
) -> Result<(), SmtpError> {
    let answer = answer.map_err(|error| SmtpError::of_command(&error, refusal))?;
    if answer.code().severity == expected {
        Ok(())
    } else {
        Err(SmtpError::Unreachable(format!("{} is out of turn", answer.code())))
    }
}
