//! The mailer that the settings name.

use std::error::Error;
use std::sync::Arc;

use portcullis_domain::ports::{Clock, Mailbox, Mailer};
use portcullis_mail_api::{Brevo, FailoverMailer, InvalidApiSettings, NamedMailer, Resend};
use portcullis_memory::MailboxMailer;
use portcullis_smtp::{InvalidSmtpMailer, SmtpMailer};

use crate::settings::{MailProvider, MailSettings};

/// One mailer, or several that stand in for each other. An error names the
/// setting.
pub(crate) fn mailer(
    settings: &MailSettings,
    mailbox: Arc<dyn Mailbox>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, Box<dyn Error>> {
    let mut mailers = Vec::new();
    for provider in &settings.providers {
        let mailer = mailer_of(provider, &settings.from, clock)?;
        mailers.push(NamedMailer { name: provider.name().to_owned(), mailer });
    }
    match mailers.as_slice() {
        [] => {
            let from = settings.from.clone();
            Ok(Arc::new(MailboxMailer::new(mailbox, Arc::clone(clock), from)))
        }
        [only] => Ok(Arc::clone(&only.mailer)),
        _ => Ok(Arc::new(FailoverMailer::new(mailers)?)),
    }
}

/// The mailer of one provider. Nothing is connected yet.
pub(crate) fn mailer_of(
    provider: &MailProvider,
    from: &str,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, Box<dyn Error>> {
    Ok(match provider {
        MailProvider::Smtp(server) => {
            let mailer = SmtpMailer::new(server.clone(), from, Arc::clone(clock));
            Arc::new(mailer.map_err(|error| match error {
                InvalidSmtpMailer::Sender(_) => told("MAIL_FROM", &error),
                InvalidSmtpMailer::Authority(_) => told("SMTP_URL", &error),
            })?)
        }
        MailProvider::Resend(account) => Arc::new(
            Resend::new(account)
                .map_err(|error| of_api(&error, "RESEND_API_KEY", "RESEND_BASE_URL"))?,
        ),
        MailProvider::Brevo(account) => Arc::new(
            Brevo::new(account)
                .map_err(|error| of_api(&error, "BREVO_API_KEY", "BREVO_BASE_URL"))?,
        ),
    })
}

/// Names the setting that a provider's client cannot be made of.
fn of_api(error: &InvalidApiSettings, key: &str, base_url: &str) -> Box<dyn Error> {
    match error {
        InvalidApiSettings::Sender(_) => told("MAIL_FROM", error),
        InvalidApiSettings::BaseUrl(_) => told(base_url, error),
        InvalidApiSettings::Key => told(key, error),
        // No setting mends these.
        InvalidApiSettings::Timeout | InvalidApiSettings::Tls(_) => {
            portcullis_domain::error::with_causes(error).into()
        }
    }
}

fn told(setting: &str, error: &dyn Error) -> Box<dyn Error> {
    format!("{setting}: {}", portcullis_domain::error::with_causes(error)).into()
}
