//! Where the mails of a test arrive.

use std::time::Duration;

use portcullis_testkit::{MailApi, SmtpSink};
use portcullis_tests::{Mail, Mailbox, eventually};

pub(crate) const VERIFICATION: &str = "Verify your email address";
pub(crate) const RESET: &str = "Reset your password";

/// How long a mail may take.
const DELIVERY: Duration = Duration::from_secs(15);

/// A place where mails arrive.
pub(crate) trait Letterbox {
    /// All mails to an address so far, newest first.
    async fn mails_to(&self, to: &str) -> Vec<Mail>;

    /// Waits until an address has that many mails of a subject: newest first.
    async fn mails(&self, to: &str, subject: &str, count: usize) -> Vec<Mail> {
        eventually(&format!("{count} x {subject:?} to {to}"), DELIVERY, async || {
            let mut mails = self.mails_to(to).await;
            mails.retain(|mail| mail.subject == subject);
            (mails.len() >= count).then_some(mails)
        })
        .await
    }

    /// Waits for a mail of a subject to an address.
    async fn mail(&self, to: &str, subject: &str) -> Mail {
        self.mails(to, subject, 1).await.swap_remove(0)
    }
}

impl<L: Letterbox> Letterbox for &L {
    async fn mails_to(&self, to: &str) -> Vec<Mail> {
        (*self).mails_to(to).await
    }
}

impl Letterbox for Mailbox {
    async fn mails_to(&self, to: &str) -> Vec<Mail> {
        self.all(to).await
    }
}

impl Letterbox for SmtpSink {
    async fn mails_to(&self, to: &str) -> Vec<Mail> {
        let mut mails = self.messages();
        mails.retain(|mail| mail.envelope_to == [to]);
        let read = mails.iter().rev();
        read.map(|mail| Mail { subject: mail.subject(), text: mail.text(), html: mail.html() })
            .collect()
    }
}

impl Letterbox for MailApi {
    async fn mails_to(&self, to: &str) -> Vec<Mail> {
        let mut mails = self.mails();
        mails.retain(|mail| mail.to == [to]);
        let read = mails.into_iter().rev();
        read.map(|mail| Mail { subject: mail.subject, text: mail.text, html: mail.html }).collect()
    }
}
