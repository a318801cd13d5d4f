//! Whether the time of an answer tells who has an account: an experiment.
//!
//! Pairs of requests are sent over one connection, one after the other: one
//! about a stranger, one about an account in some state, in random order, and
//! the comparisons in random order too, so that whatever else the machine does
//! meets both alike. `docs/timing.md` says what was found.

mod comparison;
mod crowd;
mod report;
mod statistics;
mod timeless;

use std::path::Path;
use std::time::Duration;

use portcullis_testkit::{Postgres, Reaction, SmtpSink, Step};

use crate::{Random, Server};
use crowd::Crowd;

pub use report::{Found, file, tables, write};

/// Tries per address: below the lock, and below the number of mails that an
/// address is sent.
const TRIES: usize = 4;
/// How long the mail server takes to accept a mail.
const MAIL: Duration = Duration::from_secs(2);
/// Pairs in one packet, where a thousand others are asked for.
const TIMELESS_SHARE: (usize, usize) = (3, 10);

/// Where the accounts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// The embedded database, with the cheapest hash there is.
    Embedded,
    /// Postgres, with the cheapest hash that is allowed there.
    Postgres,
}

impl Storage {
    fn name(self) -> &'static str {
        match self {
            Self::Embedded => "SQLite",
            Self::Postgres => "Postgres",
        }
    }

    fn rounds(self) -> &'static str {
        match self {
            Self::Embedded => "4",
            Self::Postgres => "10",
        }
    }
}

/// Measures so many pairs of each comparison whose name contains `only`;
/// `progress` is told what was done of how much.
pub async fn measure(
    storage: Storage,
    pairs: usize,
    only: &str,
    progress: impl Fn(&str, usize, usize),
) -> Found {
    let sink = SmtpSink::start().await;
    sink.on(Step::EndOfData, Reaction::Late(MAIL));
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(storage, folder.path(), &sink.url());
    let borrowed: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = Server::start_in(folder, &borrowed).await;
    let in_packets = pairs * TIMELESS_SHARE.0 / TIMELESS_SHARE.1;

    progress("people", 0, 1);
    let crowd = Crowd::settle(&server, &borrowed, (pairs, in_packets)).await;
    let mut random = Random::default();
    let (mut logins, mut mails) = (crowd.logins(), crowd.mails());
    logins.retain(|comparison| comparison.what.contains(only));
    mails.retain(|comparison| comparison.what.contains(only));
    let packets = if logins.is_empty() { Vec::new() } else { crowd.packets() };
    tokio::task::block_in_place(|| {
        let mut connection = server.connect();
        if !logins.is_empty() {
            crowd::lock(&mut connection, |done, all| progress("locks", done, all));
        }
        let mut rows = comparison::measure(&mut connection, &logins, &mut random, |done, all| {
            progress("logins", done, all);
        });
        let timeless = timeless::measure(&server, &packets, &mut random, |done, all| {
            progress("packets", done, all);
        });
        // Last: what follows a mail is busy with it.
        rows.extend(comparison::measure(&mut connection, &mails, &mut random, |done, all| {
            progress("mails", done, all);
        }));
        Found { storage, rows, timeless }
    })
}

fn settings(storage: Storage, folder: &Path, smtp: &str) -> Vec<(&'static str, String)> {
    let database = match storage {
        Storage::Embedded => format!("sqlite://{}/data/portcullis.db", folder.display()),
        Storage::Postgres => Postgres::shared().empty_database(),
    };
    vec![
        ("DATABASE_URL", database),
        ("SECRET_KEY", "a secret of the experiment, long enough".to_owned()),
        ("BCRYPT_ROUNDS", storage.rounds().to_owned()),
        ("REGISTRATION_DISCLOSURE", "hide".to_owned()),
        ("MAIL_PROVIDER", "smtp".to_owned()),
        ("MAIL_FROM", "Portcullis <noreply@example.com>".to_owned()),
        ("SMTP_URL", smtp.to_owned()),
    ]
}
