//! The queries, one module per table.
//!
//! A row that one key names is asked for without a `LIMIT`: diesel binds its number as a
//! parameter, and SQLite plans a statement anew each time a parameter of its `LIMIT` is
//! bound, which takes longer than to find the row.

pub(crate) mod archive;
pub(crate) mod audit_events;
pub(crate) mod avatars;
pub(crate) mod devices;
pub(crate) mod entitlements;
pub(crate) mod identity_links;
pub(crate) mod jobs;
pub(crate) mod login_failures;
pub(crate) mod login_on_postgres;
pub(crate) mod mailbox;
pub(crate) mod one_time_tokens;
pub(crate) mod outbox;
pub(crate) mod queue;
pub(crate) mod queue_on_postgres;
pub(crate) mod sessions;
pub(crate) mod users;
