//! How mail leaves.

use portcullis_mail_api::ApiSettings;
use portcullis_smtp::SmtpSettings;
use secrecy::SecretString;

use super::parse;
use super::reader::{Reader, Wrong};

/// How mail leaves, and as whose.
pub(crate) struct MailSettings {
    pub(crate) from: String,
    /// In the order in which they are tried; none stands for the mailbox.
    pub(crate) providers: Vec<MailProvider>,
}

/// A way for mail to leave, and all that it needs.
pub(crate) enum MailProvider {
    Smtp(SmtpSettings),
    Resend(ApiSettings),
    Brevo(ApiSettings),
}

/// The providers that `MAIL_PROVIDER` can name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Smtp,
    Resend,
    Brevo,
}

impl Named {
    pub(super) const ALL: [Self; 3] = [Self::Smtp, Self::Resend, Self::Brevo];

    /// As it is spelled.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Resend => "resend",
            Self::Brevo => "brevo",
        }
    }
}

impl MailProvider {
    pub(crate) fn name(&self) -> &'static str {
        let named = match self {
            Self::Smtp(_) => Named::Smtp,
            Self::Resend(_) => Named::Resend,
            Self::Brevo(_) => Named::Brevo,
        };
        named.name()
    }
}

pub(super) fn mail(reader: &mut Reader) -> Result<MailSettings, Wrong> {
    let named = reader.get("MAIL_PROVIDER", parse::mail_providers);
    let from = reader.get("MAIL_FROM", parse::one_line);
    let sender = from.as_deref().unwrap_or_default();
    // All are read, so that what is wrong with one that is not used is told too.
    let smtp = reader.optional("SMTP_URL", parse::smtp);
    let resend = account(reader, "RESEND_API_KEY", "RESEND_BASE_URL", sender);
    let brevo = account(reader, "BREVO_API_KEY", "BREVO_BASE_URL", sender);
    let [mut smtp, mut resend, mut brevo] = [
        smtp.map(|found| found.map(MailProvider::Smtp)),
        resend.map(|found| found.map(MailProvider::Resend)),
        brevo.map(|found| found.map(MailProvider::Brevo)),
    ];
    let mut providers = Vec::new();
    for provider in named? {
        let (found, needed) = match provider {
            Named::Smtp => (&mut smtp, "SMTP_URL"),
            Named::Resend => (&mut resend, "RESEND_API_KEY"),
            Named::Brevo => (&mut brevo, "BREVO_API_KEY"),
        };
        // What is wrong with it has been told.
        let Ok(found) = found else { continue };
        match found.take() {
            Some(provider) => providers.push(provider),
            None => reader.object(needed, "must be set: MAIL_PROVIDER names its provider"),
        }
    }
    Ok(MailSettings { from: from?, providers })
}

fn account(
    reader: &mut Reader,
    key: &'static str,
    base_url: &'static str,
    sender: &str,
) -> Result<Option<ApiSettings>, Wrong> {
    let key = reader.optional(key, |text| Ok(SecretString::from(text)));
    let base_url = reader.optional(base_url, |text| Ok(text.to_owned()))?;
    Ok(key?.map(|key| ApiSettings { base_url, ..ApiSettings::new(key, sender) }))
}
