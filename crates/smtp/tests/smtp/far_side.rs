//! SMTP servers as far sides of the laws.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_conformance::mail_route::{BUSY, QUOTED, REFUSED, SENDER};
use portcullis_conformance::{Arrived, FarSide, MailRoute};
use portcullis_smtp::{SmtpMailer, SmtpSettings};
use portcullis_testkit::{Aiosmtpd, Reaction, SmtpMessage, SmtpSink, Step};

/// A password that no percent-decoding may change twice.
const PASSWORD: &str = "pa%55:w@rd";

/// A mailer to that URL.
pub(crate) fn mailer(url: &str) -> SmtpMailer {
    let clock = Arc::new(ManualClock::at(START));
    SmtpMailer::new(SmtpSettings::parse(url).unwrap(), SENDER, clock).unwrap()
}

struct Sink(SmtpSink);

#[async_trait]
impl FarSide for Sink {
    async fn arrived(&self) -> Vec<Arrived> {
        self.0.messages().iter().map(arrived).collect()
    }

    async fn vanish(&self) {
        self.0.vanish().await;
    }
}

struct Python(Aiosmtpd);

#[async_trait]
impl FarSide for Python {
    async fn arrived(&self) -> Vec<Arrived> {
        self.0.messages().iter().map(arrived).collect()
    }

    async fn vanish(&self) {
        self.0.vanish();
    }
}

fn arrived(message: &SmtpMessage) -> Arrived {
    assert_eq!(message.to(), message.envelope_to);
    Arrived {
        key: message.message_id(),
        from: message.from(),
        to: message.envelope_to.clone(),
        subject: message.subject(),
        text: message.text(),
        html: message.html(),
        headers: message.header_names(),
    }
}

fn route(url: &str, far_side: Arc<dyn FarSide>) -> MailRoute {
    let mailer = mailer(url);
    let debug = format!("{mailer:?}");
    MailRoute { mailer: Arc::new(mailer), debug, far_side, secret: PASSWORD.into() }
}

/// A sink of our own that wants a login.
pub(crate) async fn sink_route() -> MailRoute {
    let sink = SmtpSink::with_login("portcullis", PASSWORD).await;
    let address = |local: &str| format!("{local}@example.com");
    sink.on_mail_to(&address(REFUSED), Step::Rcpt, Reaction::reply("550 5.1.1 no such user"));
    sink.on_mail_to(&address(BUSY), Step::Rcpt, Reaction::reply("451 4.3.0 try again later"));
    sink.on_mail_to(&address(QUOTED), Step::EndOfData, Reaction::Quote(554));
    let url = format!("smtp://portcullis:pa%2555%3Aw%40rd@{}", sink.address());
    route(&url, Arc::new(Sink(sink)))
}

/// Debian's aiosmtpd, in the clear.
pub(crate) fn aiosmtpd_route() -> MailRoute {
    let server = Aiosmtpd::start(&portcullis_testkit::Encryption::None);
    let url = format!("smtp://{}", server.address());
    route(&url, Arc::new(Python(server)))
}
