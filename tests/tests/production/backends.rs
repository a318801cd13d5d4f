//! What the instances of a test share.

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::Server;

/// Origin of every instance. They must agree on it, since tokens name it.
pub(crate) const PUBLIC_URL: &str = "https://auth.example.com";
/// The secret of every instance.
pub(crate) const SECRET: &str = "canary-secret-that-all-instances-share";

/// Settings that lead to the same backends, for one instance or several.
#[derive(Clone)]
pub(crate) struct Backends(Vec<(String, String)>);

impl Backends {
    /// A new database of the Postgres that all tests share, and nothing else.
    pub(crate) fn new() -> Self {
        Self::on(&Postgres::shared().empty_database())
    }

    /// A database at that address, and nothing else.
    pub(crate) fn on(database: &str) -> Self {
        Self(Vec::new())
            .with("DATABASE_URL", database)
            .with("SECRET_KEY", SECRET)
            .with("PUBLIC_URL", PUBLIC_URL)
            // The least that is allowed with Postgres.
            .with("BCRYPT_ROUNDS", "10")
            // Many at once on a machine that is shared: nobody is sent away.
            .with("HASHING_PATIENCE", "1m")
    }

    /// The same, with one more setting, or with another value of one.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, with that Redis.
    pub(crate) fn with_redis(self, redis: &Redis) -> Self {
        self.with("REDIS_URL", &redis.url())
    }

    /// The same, with mail over SMTP.
    pub(crate) fn with_smtp(self, url: &str) -> Self {
        self.with("MAIL_PROVIDER", "smtp")
            .with("MAIL_FROM", "Portcullis <noreply@example.com>")
            .with("SMTP_URL", url)
    }

    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The address of the database.
    pub(crate) fn database(&self) -> &str {
        let found = self.0.iter().find(|(name, _)| name == "DATABASE_URL");
        found.map(|(_, address)| address.as_str()).unwrap()
    }

    /// Runs SQL in the database, beside the instances.
    pub(crate) fn sql(&self, sql: &str) -> String {
        Postgres::shared().sql(self.database(), sql).trim().to_owned()
    }

    /// An instance more.
    pub(crate) async fn instance(&self) -> Server {
        Server::start_with(&self.settings()).await
    }

    /// Three instances.
    pub(crate) async fn three(&self) -> [Server; 3] {
        tokio::join!(self.instance(), self.instance(), self.instance()).into()
    }

    /// Two instances.
    pub(crate) async fn two(&self) -> (Server, Server) {
        tokio::join!(self.instance(), self.instance())
    }
}
