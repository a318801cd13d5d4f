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

/// The providers as they are spelled in `MAIL_PROVIDER`.
pub(super) const PROVIDERS: [&str; 3] = ["smtp", "resend", "brevo"];

impl MailProvider {
    pub(crate) fn name(&self) -> &'static str {
        let [smtp, resend, brevo] = PROVIDERS;
        match self {
            Self::Smtp(_) => smtp,
            Self::Resend(_) => resend,
            Self::Brevo(_) => brevo,
        }
    }
}

pub(super) fn mail(reader: &mut Reader) -> Result<MailSettings, Wrong> {
    let names = reader.get("MAIL_PROVIDER", parse::mail_providers);
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
    for name in names? {
        let (found, needed) = match name {
            "smtp" => (&mut smtp, "SMTP_URL"),
            "resend" => (&mut resend, "RESEND_API_KEY"),
            _ => (&mut brevo, "BREVO_API_KEY"),
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
