//! Rows, and the domain's values that they stand for.

mod audit_events;
mod belongings;
mod jobs;
mod login_failures;
mod mailbox;
mod one_time_tokens;
mod outbox;
mod sessions;
mod users;

use portcullis_domain::{SourceAddress, StoreError};

use crate::error::corrupt;

pub(crate) use audit_events::AuditRow;
pub(crate) use belongings::{
    AvatarRow, DeviceRow, EntitlementRow, IdentityLinkRow, PurchaseStateRow,
};
pub(crate) use jobs::{ClaimedJobRow, NewJobRow, OwedJobRow};
pub(crate) use login_failures::FailuresRow;
pub(crate) use mailbox::MailboxRow;
pub(crate) use one_time_tokens::OneTimeTokenRow;
pub(crate) use outbox::{LetterRow, NewLetterRow, OwedLetterRow};
pub(crate) use sessions::SessionRow;
pub(crate) use users::{NewUserRow, UserRow};

fn digest(bytes: Vec<u8>) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt("a digest"))
}

pub(crate) fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| corrupt("a count"))
}

fn source(text: &str) -> Result<SourceAddress, StoreError> {
    text.parse().map(SourceAddress::new).map_err(|_| corrupt("a source address"))
}
