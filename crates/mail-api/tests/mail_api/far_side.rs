//! Mail APIs as far sides of the laws.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_conformance::mail_route::SENDER;
use portcullis_conformance::{Arrived, FarSide, MailRoute};
use portcullis_domain::ports::Mailer;
use portcullis_mail_api::{ApiSettings, Brevo, FailoverMailer, NamedMailer, Resend};
use portcullis_testkit::{ApiMail, MailApi};

/// Settings for that server, patient for a second.
pub(crate) fn settings(api: &MailApi) -> ApiSettings {
    ApiSettings {
        base_url: Some(api.url()),
        timeout: Duration::from_secs(1),
        ..ApiSettings::new(MailApi::KEY.into(), SENDER)
    }
}

struct Provider(MailApi);

#[async_trait]
impl FarSide for Provider {
    async fn arrived(&self) -> Vec<Arrived> {
        self.0.mails().into_iter().map(arrived).collect()
    }

    async fn vanish(&self) {
        self.0.vanish().await;
    }
}

fn arrived(mail: ApiMail) -> Arrived {
    Arrived {
        key: mail.key.unwrap_or_default(),
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: mail.headers,
    }
}

fn route(mailer: impl Mailer + std::fmt::Debug + 'static, api: MailApi) -> MailRoute {
    let debug = format!("{mailer:?}");
    let far_side = Arc::new(Provider(api));
    MailRoute { mailer: Arc::new(mailer), debug, far_side, secret: MailApi::KEY.into() }
}

pub(crate) async fn resend_route() -> MailRoute {
    let api = MailApi::resend().await;
    route(Resend::new(&settings(&api)).unwrap(), api)
}

pub(crate) async fn brevo_route() -> MailRoute {
    let api = MailApi::brevo().await;
    route(Brevo::new(&settings(&api)).unwrap(), api)
}

/// Resend, which is away, then Brevo.
pub(crate) async fn failover_route() -> MailRoute {
    let away = MailApi::resend().await;
    let resend = Resend::new(&settings(&away)).unwrap();
    away.vanish().await;
    let api = MailApi::brevo().await;
    let brevo = Brevo::new(&settings(&api)).unwrap();
    let named = |name: &str, mailer: Arc<dyn Mailer>| NamedMailer { name: name.into(), mailer };
    let mailers = vec![named("resend", Arc::new(resend)), named("brevo", Arc::new(brevo))];
    route(FailoverMailer::new(mailers).unwrap(), api)
}
