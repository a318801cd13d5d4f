//! A server, its database, and the mail server it sends to.

use std::sync::Arc;

use portcullis_testkit::{Postgres, SmtpSink};
use portcullis_tests::Server;

use crate::database::Database;
use crate::journal::Journal;
use crate::load::Client;

/// What a test is about, and its surroundings.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) sink: Arc<SmtpSink>,
    pub(crate) journal: Arc<Journal>,
}

/// Clients insist for a while. A token that was replaced just before a kill must
/// not count as stolen just after; and a login that a kill cuts off stays counted
/// as a failure, or kills would be free guesses. Nobody is sent away because the
/// machine is shared.
const PATIENT: [(&str, &str); 5] = [
    ("HASHING_PATIENCE", "1m"),
    ("REFRESH_GRACE", "10m"),
    ("LOCKOUT_THRESHOLD", "1000"),
    ("LOCKOUT_ACCOUNT_THRESHOLD", "1000"),
    ("MAIL_FROM", "Portcullis <noreply@example.com>"),
];

impl World {
    /// On the embedded database.
    pub(crate) async fn embedded() -> Self {
        Self::embedded_with(&[]).await
    }

    /// The same, with further settings.
    pub(crate) async fn embedded_with(settings: &[(&str, &str)]) -> Self {
        let sink = SmtpSink::start().await;
        let url = sink.url();
        let mail = [("MAIL_PROVIDER", "smtp"), ("SMTP_URL", &url)];
        let server = Server::start_with(&[&PATIENT[..], &mail, settings].concat()).await;
        let database = Database::File(server.folder().join("data/portcullis.db"));
        Self { server, database, sink: Arc::new(sink), journal: Arc::default() }
    }

    /// On a database of Postgres.
    pub(crate) async fn on_postgres() -> Self {
        Self::on(&Postgres::shared().empty_database(), &[]).await
    }

    /// On that database of Postgres, with further settings.
    pub(crate) async fn on(address: &str, further: &[(&str, &str)]) -> Self {
        let settings = [
            ("DATABASE_URL", address),
            ("SECRET_KEY", "canary-secret-that-all-instances-share"),
            // The least that is allowed with Postgres.
            ("BCRYPT_ROUNDS", "10"),
        ];
        let world = Self::embedded_with(&[&settings[..], further].concat()).await;
        Self { database: Database::Postgres(address.to_owned()), ..world }
    }

    /// Somebody who asks the server and reads the mails.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.server.anonymous(), Arc::clone(&self.sink), Arc::clone(&self.journal))
    }
}
