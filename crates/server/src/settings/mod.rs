//! Settings: environment variables, a `.env` file, and their defaults.
//!
//! All mistakes are reported at once, by variable, with what is allowed; a
//! secret's value is never repeated.

mod database;
mod dot_env;
mod hashing;
mod http;
mod keys;
mod log;
mod mail;
mod parse;
mod reader;
mod rules;
mod server;
mod services;
mod table;
#[cfg(test)]
mod tests;
#[cfg(feature = "otlp")]
mod traces;

use std::time::Duration;

use portcullis_app::Rules;
use portcullis_crypto::HashingScheme;
use portcullis_http::HttpSettings;

use self::reader::Reader;

pub(crate) use self::database::{Database, DatabaseSettings};
pub(crate) use self::keys::KeySettings;
pub(crate) use self::log::LogSettings;
pub(crate) use self::mail::{MailProvider, MailSettings};
pub(crate) use self::reader::{InvalidSettings, Wrong};
pub(crate) use self::server::ServerSettings;
pub(crate) use self::services::ServiceSettings;
#[cfg(feature = "storage")]
pub(crate) use self::services::{BucketSettings, ObjectStoreSettings};
#[cfg(feature = "firebase")]
pub(crate) use self::services::{FirebaseAccount, FirebaseServices, GOOGLE_DEADLINE};
pub(crate) use self::table::reference;

/// Whether a line of a `.env` file holds a setting.
#[cfg(fuzzing)]
pub(crate) fn is_dot_env_pair(line: &str) -> bool {
    dot_env::parse(line).is_ok_and(|pair| pair.is_some())
}

/// Everything an operator decides.
pub(crate) struct Settings {
    pub(crate) server: ServerSettings,
    pub(crate) database: DatabaseSettings,
    pub(crate) keys: KeySettings,
    pub(crate) hashing: HashingScheme,
    /// How long a password may wait to be hashed.
    pub(crate) hashing_patience: Duration,
    pub(crate) rules: Rules,
    pub(crate) http: HttpSettings,
    pub(crate) redis: Option<portcullis_redis::Address>,
    pub(crate) mail: MailSettings,
    #[cfg_attr(
        not(any(feature = "firebase", feature = "storage", feature = "appstore")),
        expect(dead_code, reason = "a build without services has none to set")
    )]
    pub(crate) services: ServiceSettings,
    pub(crate) log: LogSettings,
    /// Where traces are sent, if anywhere.
    #[cfg(feature = "otlp")]
    pub(crate) traces: Option<portcullis_otlp::TraceSettings>,
    /// How many demo users are added every ten seconds, if any.
    pub(crate) seeding_user_count: Option<u32>,
    /// All settings as they are in effect, a line each, secrets masked.
    pub(crate) effective: String,
}

/// Most demo users that are ordered every ten seconds: as many as are added in a few
/// of them, so that the queue does not grow.
const MAX_SEEDING_USER_COUNT: u32 = 5_000;

impl Settings {
    /// Reads the environment and the `.env` file of the working directory.
    ///
    /// # Errors
    /// [`InvalidSettings`] names every variable that is wrong, and why.
    pub(crate) fn load() -> Result<Self, InvalidSettings> {
        Self::read(Reader::from_environment())
    }

    /// Reads exactly these.
    #[cfg(fuzzing)]
    pub(crate) fn from_pairs(
        pairs: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, InvalidSettings> {
        Self::read(Reader::from_pairs(pairs))
    }

    fn read(reader: Reader) -> Result<Self, InvalidSettings> {
        Parts::read(reader).whole()
    }
}

/// The settings topic by topic, as far as each can be read.
pub(crate) struct Parts {
    pub(crate) server: Result<ServerSettings, Wrong>,
    pub(crate) database: Result<DatabaseSettings, Wrong>,
    pub(crate) keys: Result<KeySettings, Wrong>,
    pub(crate) hashing: Result<HashingScheme, Wrong>,
    pub(crate) rules: Result<Rules, Wrong>,
    pub(crate) http: Result<HttpSettings, Wrong>,
    pub(crate) redis: Result<Option<portcullis_redis::Address>, Wrong>,
    pub(crate) mail: Result<MailSettings, Wrong>,
    pub(crate) services: Result<ServiceSettings, Wrong>,
    pub(crate) seeding_user_count: Result<Option<u32>, Wrong>,
    hashing_patience: Result<Duration, Wrong>,
    log: Result<LogSettings, Wrong>,
    #[cfg(feature = "otlp")]
    pub(crate) traces: Result<Option<portcullis_otlp::TraceSettings>, Wrong>,
    effective: String,
    /// What is wrong, if anything is.
    pub(crate) validity: Result<(), InvalidSettings>,
}

impl Parts {
    /// The same sources as [`Settings::load`].
    pub(crate) fn load() -> Self {
        Self::read(Reader::from_environment())
    }

    fn read(mut reader: Reader) -> Self {
        let server = server::server(&mut reader);
        let database = database::database(&mut reader);
        let is_embedded = database.as_ref().is_ok_and(DatabaseSettings::is_embedded);
        let redis = reader.optional("REDIS_URL", parse::redis);
        let keys = keys::keys(&mut reader, server.as_ref().ok(), is_embedded);
        let hashing = hashing::hashing(&mut reader, server.as_ref().ok(), is_embedded);
        let hashing_patience = reader.get("HASHING_PATIENCE", parse::duration);
        let rules = rules::rules(&mut reader, server.as_ref().ok());
        let http = http::http(&mut reader, server.as_ref().ok());
        let mail = mail::mail(&mut reader);
        // Behind a proxy with TLS it is open to others, wherever it listens itself.
        let is_development = is_embedded
            && server.as_ref().is_ok_and(|server| {
                server.host.is_loopback() && !server.public_url.starts_with("https://")
            });
        let services = services::services(&mut reader, is_development);
        let log = log::log(&mut reader);
        #[cfg(feature = "otlp")]
        let traces = traces::traces(&mut reader);
        #[cfg(not(feature = "otlp"))]
        services::absent(&mut reader, "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT", |_| Ok(true));
        let seeding_user_count =
            reader.optional("SEEDING_USER_COUNT", parse::whole_number(1, MAX_SEEDING_USER_COUNT));
        server::insist_on_https(&mut reader, server.as_ref().ok(), is_development);
        let effective = reader.effective();
        Self {
            server,
            database,
            keys,
            hashing,
            rules,
            http,
            redis,
            mail,
            services,
            seeding_user_count,
            hashing_patience,
            log,
            #[cfg(feature = "otlp")]
            traces,
            effective,
            validity: reader.finish(),
        }
    }

    /// All of them, if nothing is wrong.
    fn whole(self) -> Result<Settings, InvalidSettings> {
        self.validity?;
        let read = || -> Result<Settings, Wrong> {
            Ok(Settings {
                server: self.server?,
                database: self.database?,
                redis: self.redis?,
                keys: self.keys?,
                hashing: self.hashing?,
                hashing_patience: self.hashing_patience?,
                rules: self.rules?,
                http: self.http?,
                mail: self.mail?,
                services: self.services?,
                log: self.log?,
                #[cfg(feature = "otlp")]
                traces: self.traces?,
                seeding_user_count: self.seeding_user_count?,
                effective: self.effective,
            })
        };
        // Whatever is wrong has been told.
        read().map_err(|Wrong| InvalidSettings::default())
    }
}
