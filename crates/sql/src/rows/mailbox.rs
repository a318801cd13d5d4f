//! Mails in the development mailbox.

use diesel::prelude::*;
use portcullis_domain::LetterId;
use portcullis_domain::ports::MailboxMessage;

use crate::schema::mailbox;
use crate::types::{At, Id};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mailbox)]
pub(crate) struct MailboxRow {
    id: Id,
    sender: String,
    recipient: String,
    subject: String,
    text_part: String,
    html_part: String,
    sent_at: At,
}

impl From<MailboxMessage> for MailboxRow {
    fn from(message: MailboxMessage) -> Self {
        Self {
            id: Id(message.id.as_uuid()),
            sender: message.from,
            recipient: message.to,
            subject: message.subject,
            text_part: message.text,
            html_part: message.html,
            sent_at: At(message.sent_at),
        }
    }
}

impl From<MailboxRow> for MailboxMessage {
    fn from(row: MailboxRow) -> Self {
        Self {
            id: LetterId::new(row.id.0),
            from: row.sender,
            to: row.recipient,
            subject: row.subject,
            text: row.text_part,
            html: row.html_part,
            sent_at: row.sent_at.0,
        }
    }
}
