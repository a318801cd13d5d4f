//! A mailer with a defect, and its far side in the same process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portcullis_conformance::mail_route::{BUSY, QUOTED, REFUSED, SENDER};
use portcullis_conformance::{Arrived, FarSide, MailRoute};
use portcullis_domain::Mail;
use portcullis_domain::ports::{Mailer, MailerError};

use super::Defect;

struct BrokenMailer {
    defect: Defect,
    attempts: AtomicUsize,
    is_away: AtomicBool,
    arrived: Mutex<Vec<Arrived>>,
}

/// A mailer with that defect and its far side.
pub(crate) fn broken_route(defect: Defect) -> MailRoute {
    let mailer = Arc::new(BrokenMailer {
        defect,
        attempts: AtomicUsize::new(0),
        is_away: AtomicBool::new(false),
        arrived: Mutex::default(),
    });
    let secret = "s3cret-of-the-mailer";
    let debug = if defect == Defect::TellSecrets { secret } else { "BrokenMailer" };
    MailRoute {
        mailer: Arc::clone(&mailer) as Arc<dyn Mailer>,
        debug: debug.into(),
        far_side: mailer,
        secret: secret.into(),
    }
}

impl BrokenMailer {
    fn failure(&self, mail: &Mail) -> Option<MailerError> {
        let cause =
            || if self.defect == Defect::TellSecrets { mail.text.clone() } else { "no".into() };
        let temporary = match self.defect {
            Defect::GiveUpAtOnce => MailerError::Permanent(cause().into()),
            _ => MailerError::Temporary(cause().into()),
        };
        let permanent = match self.defect {
            Defect::TryForEver => MailerError::Temporary(cause().into()),
            _ => MailerError::Permanent(cause().into()),
        };
        match mail.to.local_part() {
            _ if self.is_away.load(Ordering::SeqCst) => Some(temporary),
            BUSY => Some(temporary),
            REFUSED | QUOTED => Some(permanent),
            _ => None,
        }
    }

    fn key(&self, mail: &Mail, attempt: usize) -> String {
        match self.defect {
            Defect::NewKeyEachTime => format!("{}-{attempt}", mail.id),
            Defect::OneKey => "the one key".into(),
            _ => mail.id.to_string(),
        }
    }
}

#[async_trait]
impl Mailer for BrokenMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        if let Some(failure) = self.failure(&mail) {
            return Err(failure);
        }
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        let mut arrived = Arrived {
            key: self.key(&mail, attempt),
            from: SENDER.into(),
            to: vec![mail.to.to_string()],
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html,
            headers: vec!["Subject".into()],
        };
        match self.defect {
            Defect::LoseFields => arrived.html.clear(),
            Defect::EndAtADot => {
                mail.text.split("\n.").next().unwrap().clone_into(&mut arrived.text);
            }
            Defect::AddHeaders => {
                let added = mail.subject.lines().skip(1).filter_map(|line| line.split_once(':'));
                arrived.headers.extend(added.map(|(name, _)| name.to_owned()));
            }
            Defect::MixMails => {
                if let Some(last) = self.arrived.lock().unwrap().last() {
                    arrived.text.clone_from(&last.text);
                }
            }
            _ => {}
        }
        self.arrived.lock().unwrap().push(arrived);
        Ok(())
    }
}

#[async_trait]
impl FarSide for BrokenMailer {
    async fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    async fn vanish(&self) {
        self.is_away.store(true, Ordering::SeqCst);
    }
}
