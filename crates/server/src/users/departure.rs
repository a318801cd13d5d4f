//! An account that moves out, as a line of JSON that moves in again as it was.

use std::io::{self, Write};

use portcullis_domain::{AccountStatus, NamePart, Timestamp, User, Username};
use serde::Serialize;

/// The fields in the order in which they are written.
#[derive(Serialize)]
struct Departure<'a> {
    id: String,
    number: i64,
    email: &'a str,
    email_verified_at: Option<String>,
    username: Option<&'a str>,
    name: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    password_hash: &'a str,
    password_changed_at: String,
    status: &'static str,
    created_at: String,
    updated_at: Option<String>,
    last_login_at: Option<String>,
}

impl<'a> From<&'a User> for Departure<'a> {
    fn from(user: &'a User) -> Self {
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let parts = user.name.parts();
        Self {
            id: user.id.to_string(),
            number: user.number.get(),
            email: user.email.as_str(),
            email_verified_at: text(user.email_verified_at),
            username: user.username.as_ref().map(Username::as_str),
            name: user.name.full().as_str(),
            first_name: parts.map(|(first, _): (&NamePart, _)| first.as_str()),
            last_name: parts.map(|(_, last): (_, &NamePart)| last.as_str()),
            password_hash: user.password_hash.expose(),
            password_changed_at: user.password_changed_at.to_string(),
            status: match user.status {
                AccountStatus::Active => "active",
                AccountStatus::Disabled => "disabled",
            },
            created_at: user.created_at.to_string(),
            updated_at: text(user.updated_at),
            last_login_at: text(user.last_login_at),
        }
    }
}

/// Writes an account as one line.
pub(super) fn write(user: &User, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Departure::from(user))?;
    out.write_all(b"\n")
}
