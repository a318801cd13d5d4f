//! How mail leaves.

use portcullis_smtp::SmtpSettings;
use secrecy::SecretString;

use super::parse;
use super::reader::{Reader, Wrong};

/// A way for mail to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailProvider {
    Smtp,
    Resend,
    Brevo,
}

impl MailProvider {
    /// As it is spelled in `MAIL_PROVIDER`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Resend => "resend",
            Self::Brevo => "brevo",
        }
    }
}

/// How mail leaves, and as whose.
pub(crate) struct MailSettings {
    pub(crate) from: String,
    /// In the order in which they are tried; none stands for the mailbox.
    pub(crate) providers: Vec<MailProvider>,
    pub(crate) smtp: Option<SmtpSettings>,
    pub(crate) resend: ApiAccount,
    pub(crate) brevo: ApiAccount,
}

/// An account at a provider with an HTTP API.
pub(crate) struct ApiAccount {
    pub(crate) key: Option<SecretString>,
    pub(crate) base_url: Option<String>,
}

pub(super) fn mail(reader: &mut Reader) -> Result<MailSettings, Wrong> {
    let providers = reader.get("MAIL_PROVIDER", parse::mail_providers);
    let from = reader.get("MAIL_FROM", parse::one_line);
    let smtp = reader.optional("SMTP_URL", parse::smtp);
    let resend = account(reader, "RESEND_API_KEY", "RESEND_BASE_URL");
    let brevo = account(reader, "BREVO_API_KEY", "BREVO_BASE_URL");
    let has_key = |account: &Result<ApiAccount, Wrong>| {
        account.as_ref().map_or(true, |account| account.key.is_some())
    };
    let needs = [
        (MailProvider::Smtp, "SMTP_URL", !matches!(smtp, Ok(None))),
        (MailProvider::Resend, "RESEND_API_KEY", has_key(&resend)),
        (MailProvider::Brevo, "BREVO_API_KEY", has_key(&brevo)),
    ];
    for (provider, name, is_given) in needs {
        if !is_given && providers.as_ref().is_ok_and(|wanted| wanted.contains(&provider)) {
            reader.object(name, "must be set: MAIL_PROVIDER names its provider");
        }
    }
    Ok(MailSettings {
        from: from?,
        providers: providers?,
        smtp: smtp?,
        resend: resend?,
        brevo: brevo?,
    })
}

fn account(
    reader: &mut Reader,
    key: &'static str,
    base_url: &'static str,
) -> Result<ApiAccount, Wrong> {
    let key = reader.optional(key, |text| Ok(SecretString::from(text)));
    let base_url = reader.optional(base_url, |text| Ok(text.to_owned()));
    Ok(ApiAccount { key: key?, base_url: base_url? })
}
