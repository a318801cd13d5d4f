//! The mailer that the settings name.

use std::error::Error;
use std::sync::Arc;

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Clock, Mailbox, Mailer};
use portcullis_mail_api::{ApiSettings, Brevo, FailoverMailer, NamedMailer, Resend};
use portcullis_memory::MailboxMailer;
use portcullis_smtp::SmtpMailer;

use crate::settings::{ApiAccount, MailProvider, MailSettings};

/// One mailer, or several that stand in for each other. An error names the
/// setting.
pub(crate) fn mailer(
    settings: &MailSettings,
    mailbox: Arc<dyn Mailbox>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Mailer>, Box<dyn Error>> {
    let mut mailers = settings
        .providers
        .iter()
        .map(|provider| provider_of(*provider, settings, clock))
        .collect::<Result<Vec<_>, _>>()?;
    match mailers.pop() {
        None => {
            let from = settings.from.clone();
            Ok(Arc::new(MailboxMailer::new(mailbox, Arc::clone(clock), from)))
        }
        Some(only) if mailers.is_empty() => Ok(only.mailer),
        Some(last) => {
            mailers.push(last);
            Ok(Arc::new(FailoverMailer::new(mailers)?))
        }
    }
}

fn provider_of(
    provider: MailProvider,
    settings: &MailSettings,
    clock: &Arc<dyn Clock>,
) -> Result<NamedMailer, Box<dyn Error>> {
    let told = |setting: &'static str| {
        move |error: &dyn Error| -> Box<dyn Error> {
            format!("{setting}, MAIL_FROM: {}", with_causes(error)).into()
        }
    };
    let (name, mailer): (_, Arc<dyn Mailer>) = match provider {
        MailProvider::Smtp => {
            let server = settings.smtp.clone().ok_or("SMTP_URL: must be set")?;
            let mailer = SmtpMailer::new(server, &settings.from, Arc::clone(clock));
            ("smtp", Arc::new(mailer.map_err(|error| told("SMTP_URL")(&error))?))
        }
        MailProvider::Resend => {
            let client = Resend::new(&account(&settings.resend, &settings.from)?);
            ("resend", Arc::new(client.map_err(|error| told("RESEND_API_KEY")(&error))?))
        }
        MailProvider::Brevo => {
            let client = Brevo::new(&account(&settings.brevo, &settings.from)?);
            ("brevo", Arc::new(client.map_err(|error| told("BREVO_API_KEY")(&error))?))
        }
    };
    Ok(NamedMailer { name: name.into(), mailer })
}

fn account(account: &ApiAccount, from: &str) -> Result<ApiSettings, Box<dyn Error>> {
    let key = account.key.clone().ok_or("the API key must be set")?;
    Ok(ApiSettings { base_url: account.base_url.clone(), ..ApiSettings::new(key, from) })
}
