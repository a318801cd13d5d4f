//! Where to hand mail over, as a connection URL.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// Longest attempt by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// Shortest permitted limit of an attempt.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);
/// Longest permitted limit: half the time that a worker holds a letter.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// Not at all.
    Plaintext,
    /// By `STARTTLS`, or nothing is sent.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// A user's name and password.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: SecretString,
}

/// An SMTP server and how to talk to it (`SMTP_URL`).
///
/// | URL | connection | port |
/// |---|---|---|
/// | `smtps://[user:password@]host` | TLS from the first byte | 465 |
/// | `smtp://[user:password@]host` | `STARTTLS`, or nothing is sent | 587 |
/// | `smtp://127.0.0.1`, `[::1]`, `localhost` | plaintext | 25 |
///
/// Prefer `smtps://` where there is a choice: lettre may take an answer that
/// was slipped in before the handshake of `STARTTLS` for one that came after.
///
/// Name and password are percent-decoded. Options, after a `?`:
/// * `starttls=required` or `starttls=never`, for `smtp://`, instead of what
///   the table says. Credentials never go in the clear to another machine.
/// * `ca=/path/to/authority.pem`: trust the certificates of this file and no
///   others.
/// * `timeout=20s`: the longest that one attempt may take, 100 ms to 30 s.
#[derive(Clone)]
pub struct SmtpSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) login: Option<Login>,
    pub(crate) authority: Option<PathBuf>,
    pub(crate) timeout: Duration,
}

/// Why a text is no SMTP connection URL. It never repeats the text, which may
/// hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSmtpUrl {
    /// It is no URL at all.
    #[error("is no URL; write `smtps://user:password@host` and percent-encode the password")]
    NoUrl,
    /// The scheme is another.
    #[error("must begin with `smtp://` or `smtps://`")]
    Scheme,
    /// The host is missing, or it is neither a name nor an address.
    #[error("must name a host")]
    Host,
    /// There is something after the host that means nothing.
    #[error("must end after the host, or its port, and the options")]
    Path,
    /// The name comes without a password, or the other way round, or they are
    /// no text.
    #[error("must hold a user and a password, both percent-encoded, or neither")]
    Login,
    /// The password would go over the network in the clear.
    #[error("must not send a password to another machine without TLS")]
    LoginInTheClear,
    /// There is an option of another name.
    #[error("may hold the options `starttls`, `ca` and `timeout`, each once")]
    Option,
    /// `starttls` is given for `smtps://`, or is something else.
    #[error("may hold `starttls=required` or `starttls=never`, with `smtp://` only")]
    StartTls,
    /// `ca` is empty, or there is no TLS to use it for.
    #[error("may hold `ca=/path/to/authority.pem`, with TLS only")]
    Authority,
    /// `timeout` is no duration, or too short or too long.
    #[error("may hold `timeout=20s`, from 100ms to 30s")]
    Timeout,
}

impl SmtpSettings {
    /// Reads a connection URL.
    ///
    /// # Errors
    /// [`InvalidSmtpUrl`] says what is wrong, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, InvalidSmtpUrl> {
        let url = Url::parse(text).map_err(|_| InvalidSmtpUrl::NoUrl)?;
        let is_implicit = match url.scheme() {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(InvalidSmtpUrl::Scheme),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidSmtpUrl::Path);
        }
        let host = host(&url)?;
        let login = login(&url)?;
        let options = Options::of(&url)?;
        let is_local = is_loopback(&host);
        let security = match options.starttls {
            Some(_) if is_implicit => return Err(InvalidSmtpUrl::StartTls),
            None if is_implicit => Security::Implicit,
            Some(false) => Security::Plaintext,
            // Who names an authority wants its certificates looked at.
            None if is_local && options.authority.is_none() => Security::Plaintext,
            Some(true) | None => Security::StartTls,
        };
        if security == Security::Plaintext && options.authority.is_some() {
            return Err(InvalidSmtpUrl::Authority);
        }
        if security == Security::Plaintext && login.is_some() && !is_local {
            return Err(InvalidSmtpUrl::LoginInTheClear);
        }
        let default_port = match security {
            Security::Plaintext => 25,
            Security::StartTls => 587,
            Security::Implicit => 465,
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(default_port),
            security,
            login,
            authority: options.authority,
            timeout: options.timeout.unwrap_or(DEFAULT_TIMEOUT),
        })
    }
}

/// Where it leads, never as whom.
impl fmt::Display for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.security == Security::Implicit { "smtps" } else { "smtp" };
        let is_v6 = self.host.contains(':');
        let (open, close) = if is_v6 { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl SmtpSettings {
    /// Whether the server is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Tells no credentials.
impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("has_login", &self.login.is_some())
            .field("authority", &self.authority)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// The host, an IPv6 address without its brackets.
fn host(url: &Url) -> Result<String, InvalidSmtpUrl> {
    let host = url.host_str().unwrap_or_default();
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = inside.unwrap_or(host);
    // The parser leaves other schemes' hosts as they are: `%00` and `ü` too.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_name) {
        return Err(InvalidSmtpUrl::Host);
    }
    Ok(host.to_owned())
}

fn is_loopback(host: &str) -> bool {
    let is_name = host.eq_ignore_ascii_case("localhost");
    is_name || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn login(url: &Url) -> Result<Option<Login>, InvalidSmtpUrl> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map_err(|_| InvalidSmtpUrl::Login)?;
        // SASL PLAIN separates them by NUL.
        let is_text = !text.is_empty() && !text.contains('\0');
        if is_text { Ok(text.into_owned()) } else { Err(InvalidSmtpUrl::Login) }
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        (user, Some(password)) => {
            Ok(Some(Login { user: decoded(user)?, password: decoded(password)?.into() }))
        }
        (_, None) => Err(InvalidSmtpUrl::Login),
    }
}

#[derive(Default)]
struct Options {
    starttls: Option<bool>,
    authority: Option<PathBuf>,
    timeout: Option<Duration>,
}

impl Options {
    fn of(url: &Url) -> Result<Self, InvalidSmtpUrl> {
        let mut options = Self::default();
        for (name, value) in url.query_pairs() {
            match &*name {
                "starttls" if options.starttls.is_none() => {
                    options.starttls = Some(match &*value {
                        "required" => true,
                        "never" => false,
                        _ => return Err(InvalidSmtpUrl::StartTls),
                    });
                }
                "ca" if options.authority.is_none() => {
                    if value.is_empty() {
                        return Err(InvalidSmtpUrl::Authority);
                    }
                    options.authority = Some(PathBuf::from(&*value));
                }
                "timeout" if options.timeout.is_none() => {
                    let timeout = humantime::parse_duration(&value);
                    let timeout = timeout.map_err(|_| InvalidSmtpUrl::Timeout)?;
                    if !(MIN_TIMEOUT..=MAX_TIMEOUT).contains(&timeout) {
                        return Err(InvalidSmtpUrl::Timeout);
                    }
                    options.timeout = Some(timeout);
                }
                _ => return Err(InvalidSmtpUrl::Option),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(text: &str) -> (String, u16, Security) {
        let settings = SmtpSettings::parse(text).unwrap();
        (settings.host, settings.port, settings.security)
    }

    #[test]
    fn ml_09_the_scheme_says_how_it_is_encrypted() {
        let host = || "mail.example.com".to_owned();
        assert_eq!(read("smtps://mail.example.com"), (host(), 465, Security::Implicit));
        assert_eq!(read("smtp://mail.example.com"), (host(), 587, Security::StartTls));
        assert_eq!(read("smtp://mail.example.com:2525/"), (host(), 2525, Security::StartTls));
        assert_eq!(
            read("smtp://mail.example.com?starttls=never"),
            (host(), 25, Security::Plaintext)
        );
    }

    #[test]
    fn this_machine_needs_no_tls_unless_told_so() {
        for host in ["127.0.0.1", "127.8.0.1", "localhost", "LOCALHOST"] {
            assert_eq!(read(&format!("smtp://{host}")), (host.into(), 25, Security::Plaintext));
        }
        assert_eq!(read("smtp://[::1]:1025"), ("::1".into(), 1025, Security::Plaintext));
        assert_eq!(read("smtp://localhost?starttls=required").2, Security::StartTls);
        assert_eq!(read("smtp://localhost?ca=/ca.pem").2, Security::StartTls);
        assert_eq!(read("smtp://localhost.example.com").2, Security::StartTls);
    }

    #[test]
    fn ml_10_a_password_never_goes_to_another_machine_in_the_clear() {
        for host in ["mail.example.com", "localhost.example.com", "192.0.2.1", "[2001:db8::1]"] {
            let url = format!("smtp://user:password@{host}");
            let refused = SmtpSettings::parse(&format!("{url}?starttls=never"));
            assert_eq!(refused.err(), Some(InvalidSmtpUrl::LoginInTheClear), "{host}");
            assert_eq!(read(&url).2, Security::StartTls, "{host}");
        }
        assert_eq!(read("smtp://user:password@localhost").2, Security::Plaintext);
    }

    #[test]
    fn credentials_are_percent_decoded() {
        let settings = SmtpSettings::parse("smtps://ann%40example.com:p%3A%2F%40%23ss@h").unwrap();
        let login = settings.login.unwrap();
        assert_eq!(login.user, "ann@example.com");
        assert_eq!(login.password.expose_secret(), "p:/@#ss");
    }

    #[test]
    fn options_are_read() {
        let settings =
            SmtpSettings::parse("smtps://h?ca=%2Fetc%2Fmy%20ca.pem&timeout=1500ms").unwrap();
        assert_eq!(settings.authority, Some(PathBuf::from("/etc/my ca.pem")));
        assert_eq!(settings.timeout, Duration::from_millis(1_500));
        assert_eq!(SmtpSettings::parse("smtps://h").unwrap().timeout, DEFAULT_TIMEOUT);
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, wrong) in [
            ("mail.example.com", InvalidSmtpUrl::NoUrl),
            ("", InvalidSmtpUrl::NoUrl),
            ("http://h", InvalidSmtpUrl::Scheme),
            ("smtp:h", InvalidSmtpUrl::Path),
            ("smtp://", InvalidSmtpUrl::Host),
            ("smtp://h%00", InvalidSmtpUrl::Host),
            ("smtp://h/ehlo", InvalidSmtpUrl::Path),
            ("smtp://h#x", InvalidSmtpUrl::Path),
            ("smtp://user@h", InvalidSmtpUrl::Login),
            ("smtp://:password@h", InvalidSmtpUrl::Login),
            ("smtp://user:@h", InvalidSmtpUrl::Login),
            ("smtp://user:%FF@h", InvalidSmtpUrl::Login),
            ("smtp://user:a%00b@h", InvalidSmtpUrl::Login),
            ("smtp://user:password@h?starttls=never", InvalidSmtpUrl::LoginInTheClear),
            ("smtp://h?tls=none", InvalidSmtpUrl::Option),
            ("smtp://h?timeout=1s&timeout=2s", InvalidSmtpUrl::Option),
            ("smtp://h?starttls=maybe", InvalidSmtpUrl::StartTls),
            ("smtps://h?starttls=required", InvalidSmtpUrl::StartTls),
            ("smtps://h?ca=", InvalidSmtpUrl::Authority),
            ("smtp://h?starttls=never&ca=/ca.pem", InvalidSmtpUrl::Authority),
            ("smtps://h?timeout=soon", InvalidSmtpUrl::Timeout),
            ("smtps://h?timeout=1ms", InvalidSmtpUrl::Timeout),
            ("smtps://h?timeout=31s", InvalidSmtpUrl::Timeout),
        ] {
            assert_eq!(SmtpSettings::parse(text).err(), Some(wrong), "{text}");
        }
    }

    #[test]
    fn debug_tells_no_credentials() {
        let settings = SmtpSettings::parse("smtps://ann:pa55word@h").unwrap();
        let told = format!("{settings:?}");
        assert!(!told.contains("ann") && !told.contains("pa55word"), "{told}");
    }

    #[test]
    fn an_error_does_not_repeat_the_url() {
        let error = SmtpSettings::parse("smtp://ann:pa55word@h?x=pa55word").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("pa55word"));
    }
}
