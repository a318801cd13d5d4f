//! How mail leaves, and as whose.

use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Clock;
use portcullis_smtp::{
    Inspection, InspectionError, InvalidSmtpMailer, SmtpError, SmtpSettings, inspect, sender_domain,
};

use super::finding::Finding;
use super::{in_time, millis};
use crate::mail::mailer_of;
use crate::settings::{MailProvider, MailSettings, Parts};

const MAIL: &str = "mail";
const SMTP: &str = "smtp";
const SENDER: &str = "mail sender";

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let Ok(settings) = &parts.mail else { return Vec::new() };
    if settings.providers.is_empty() {
        return vec![Finding::off(MAIL, "MAIL_PROVIDER=mailbox: mails are kept, sent to nobody")];
    }
    let mut findings = Vec::new();
    for provider in &settings.providers {
        match provider {
            MailProvider::Smtp(server) => {
                let asked = async { vec![smtp(server, &settings.from).await] };
                findings.extend(in_time(SMTP, asked).await);
            }
            MailProvider::Resend(_) | MailProvider::Brevo(_) => {
                findings.push(api(provider, settings));
            }
        }
    }
    findings.push(sender(settings));
    findings
}

async fn smtp(server: &SmtpSettings, from: &str) -> Finding {
    match inspect(server, from).await {
        Ok(inspection) => reached(server, &inspection),
        Err(error) => {
            let advice = match &error {
                InspectionError::Settings(InvalidSmtpMailer::Sender(_)) => {
                    "MAIL_FROM must be `Name <user@example.com>` or `user@example.com`"
                }
                InspectionError::Settings(InvalidSmtpMailer::Authority(_)) => {
                    "see the file that ca= in SMTP_URL names"
                }
                InspectionError::Server(error) => advice(error),
            };
            Finding::wrong(SMTP, format!("{server}: {}", with_causes(&error)), advice)
        }
    }
}

fn advice(error: &SmtpError) -> &'static str {
    match error {
        SmtpError::Unreachable(_) | SmtpError::TimedOut => {
            "see whether SMTP_URL names its host and port, whether it wants smtps:// (TLS from the \
             first byte, 465) or smtp:// (STARTTLS, 587), whether its certificate is trusted (ca=), \
             and whether a firewall is in between; mails wait in the outbox meanwhile"
        }
        SmtpError::LoginRefused(_) => {
            "see user and password in SMTP_URL (percent-encoded); some providers want a password \
             made for programs"
        }
        SmtpError::SenderRefused(_) => "the account must be allowed to send as MAIL_FROM",
        SmtpError::Busy(_) => "run this again in a minute",
        SmtpError::Refused(_) | SmtpError::Unsendable(_) => "see the mail server's log",
    }
}

fn reached(server: &SmtpSettings, inspection: &Inspection) -> Finding {
    let way = if inspection.is_encrypted { "TLS" } else { "not encrypted" };
    let login = if inspection.is_logged_in { "login accepted" } else { "no login" };
    let told =
        format!("{server}, {way}, {login}, sender accepted, {}", millis(inspection.round_trip));
    if inspection.is_encrypted || server.is_local() {
        return Finding::ok(SMTP, told);
    }
    let advice = "smtps://, or smtp:// without starttls=never: mails hold links that log people in";
    Finding::warning(SMTP, told, advice)
}

/// Asking an API would cost a call: that its key is set has to do.
fn api(provider: &MailProvider, settings: &MailSettings) -> Finding {
    let name = provider.name();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match mailer_of(provider, &settings.from, &clock) {
        Ok(_) => Finding::ok(name, "a key is set; the API was not called"),
        Err(error) => {
            let advice = "correct that setting; the server does not start like this";
            Finding::wrong(name, with_causes(&*error), advice)
        }
    }
}

/// Whether receivers will take mails as from there is written in DNS, which is not
/// asked here: what it has to say depends on who sends.
fn sender(settings: &MailSettings) -> Finding {
    let domain = match sender_domain(&settings.from) {
        Ok(domain) => domain.trim_end_matches('.').to_ascii_lowercase(),
        Err(error) => {
            let advice = "MAIL_FROM must be `Name <user@example.com>` or `user@example.com`";
            return Finding::wrong(SENDER, error.to_string(), advice);
        }
    };
    let told = format!("MAIL_FROM={}", settings.from);
    if domain == "localhost" || !domain.contains('.') || domain.starts_with('[') {
        let advice = "name an address of a domain of yours: receivers refuse this one";
        return Finding::warning(SENDER, told, advice);
    }
    Finding {
        advice: Some(format!(
            "not looked up here: `dig TXT {domain}` should show `v=spf1 …` that includes whoever \
             sends; see to DKIM and `dig TXT _dmarc.{domain}` too, or mails land in spam"
        )),
        ..Finding::ok(SENDER, told)
    }
}
