//! What the instances of a test share.

use std::time::Duration;

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::{Server, eventually};

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

    /// The same, with limits that count and refuse nobody: as in production, limits and
    /// caller are asked at once.
    pub(crate) fn counting(self) -> Self {
        let limits = ["STRICT", "DEFAULT", "LENIENT", "USER"];
        let limits = limits.map(|tier| format!("RATE_LIMIT_{tier}"));
        let counting = self.with("RATE_LIMIT_ENABLED", "true");
        limits.iter().fold(counting, |all, name| all.with(name, "1000000"))
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

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        self.database().rsplit('/').next().unwrap()
    }

    /// Runs SQL in the database, beside the instances.
    pub(crate) fn sql(&self, sql: &str) -> String {
        Postgres::shared().sql(self.database(), sql).trim().to_owned()
    }

    /// Ends every connection to the database, as the server's superuser: whatever
    /// the instances' own role may do.
    pub(crate) fn cut_connections(&self) {
        let operator = Postgres::shared().url(self.name());
        Postgres::shared().sql(
            &operator,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// Waits until no letter waits to be sent.
    pub(crate) async fn outbox_is_settled(&self) {
        eventually("a settled outbox", Duration::from_secs(10), async || {
            let open = self.sql("SELECT count(*) FROM outbox WHERE settled_at IS NULL");
            (open == "0").then_some(())
        })
        .await;
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
