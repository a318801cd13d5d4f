//! Settings: environment variables, a `.env` file, and their defaults.
//!
//! All mistakes are reported at once, by variable, with what is allowed; a
//! secret's value is never repeated.

mod dot_env;
mod mail;
mod parse;
mod reader;
mod table;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_app::{Disclosure, Links, Rules, SessionRules};
use portcullis_crypto::{HashingScheme, JwtAlgorithm, ServerSecret};
use portcullis_domain::ports::MailCap;
use portcullis_domain::{LockoutPolicy, PasswordPolicy};
use portcullis_http::{Deprecation, HttpSettings, RateLimits};

use self::reader::{Reader, Wrong};

pub(crate) use self::mail::{MailProvider, MailSettings};
pub(crate) use self::reader::InvalidSettings;
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
    pub(crate) log: LogSettings,
    /// All settings as they are in effect, a line each, secrets masked.
    pub(crate) effective: String,
}

/// Where and how the server runs.
pub(crate) struct ServerSettings {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) public_url: String,
    pub(crate) workers: usize,
    pub(crate) shutdown_grace: Duration,
    pub(crate) shutdown_delay: Duration,
}

/// Where data is kept.
pub(crate) struct DatabaseSettings {
    pub(crate) database: Database,
    pub(crate) pool_size: usize,
}

/// Which database.
pub(crate) enum Database {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// One that instances share.
    Postgres(Box<portcullis_postgres::Address>),
}

/// What tokens are made with.
pub(crate) struct KeySettings {
    pub(crate) secret: Option<ServerSecret>,
    pub(crate) previous_secret: Option<ServerSecret>,
    pub(crate) algorithm: JwtAlgorithm,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) folder: Option<PathBuf>,
}

/// What is logged, and how.
pub(crate) struct LogSettings {
    pub(crate) is_json: bool,
    pub(crate) level: String,
}

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

    fn read(mut reader: Reader) -> Result<Self, InvalidSettings> {
        let server = server(&mut reader);
        let database = database(&mut reader);
        let is_embedded = database.as_ref().is_ok_and(DatabaseSettings::is_embedded);
        let redis = reader.optional("REDIS_URL", parse::redis);
        let keys = keys(&mut reader, server.as_ref().ok(), is_embedded);
        let hashing = hashing(&mut reader, server.as_ref().ok(), is_embedded);
        let hashing_patience = reader.get("HASHING_PATIENCE", parse::duration);
        let rules = rules(&mut reader, server.as_ref().ok());
        let http = http(&mut reader, server.as_ref().ok());
        let mail = mail::mail(&mut reader);
        let log = log(&mut reader);
        insist_on_https(&mut reader, server.as_ref().ok(), is_embedded);
        let effective = reader.effective();
        reader.finish()?;
        let read = || -> Result<Self, Wrong> {
            Ok(Self {
                server: server?,
                database: database?,
                redis: redis?,
                keys: keys?,
                hashing: hashing?,
                hashing_patience: hashing_patience?,
                rules: rules?,
                http: http?,
                mail: mail?,
                log: log?,
                effective,
            })
        };
        // Whatever is wrong has been told by `finish`.
        read().map_err(|Wrong| InvalidSettings::default())
    }
}

impl DatabaseSettings {
    fn is_embedded(&self) -> bool {
        matches!(self.database, Database::Sqlite(_))
    }
}

fn server(reader: &mut Reader) -> Result<ServerSettings, Wrong> {
    let host = reader.get("HOST", parse::host);
    let port = reader.get("PORT", parse::whole_number(1, u16::MAX));
    let public_url = reader.get("PUBLIC_URL", parse::origin);
    let workers = reader.get("WORKERS", parse::whole_number(1, 512));
    let shutdown_grace = reader.get("SHUTDOWN_GRACE", parse::duration);
    let shutdown_delay = reader.get("SHUTDOWN_DELAY", parse::duration_or_none);
    Ok(ServerSettings {
        host: host?,
        port: port?,
        public_url: public_url?,
        workers: workers?,
        shutdown_grace: shutdown_grace?,
        shutdown_delay: shutdown_delay?,
    })
}

/// Tokens and links with tokens travel under `PUBLIC_URL`: in the clear only on
/// this machine, or in development, where the server is embedded and listens to
/// this machine alone.
fn insist_on_https(reader: &mut Reader, server: Option<&ServerSettings>, is_embedded: bool) {
    let Some(server) = server else { return };
    let is_development = is_embedded && server.host.is_loopback();
    if !is_development && !parse::is_https_or_local(&server.public_url) {
        reader.object("PUBLIC_URL", "must begin with https://, unless it names this machine");
    }
}

fn database(reader: &mut Reader) -> Result<DatabaseSettings, Wrong> {
    let database = reader.get("DATABASE_URL", parse::database);
    let pool_size = reader.get("DATABASE_POOL_SIZE", parse::whole_number(1, 1000));
    Ok(DatabaseSettings { database: database?, pool_size: pool_size? })
}

fn keys(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
    is_embedded: bool,
) -> Result<KeySettings, Wrong> {
    let secret = reader.optional("SECRET_KEY", parse::secret);
    if !is_embedded && matches!(secret, Ok(None)) {
        reader.object("SECRET_KEY", "must be set with Postgres: all instances share it");
    }
    let previous_secret = reader.optional("SECRET_KEY_PREVIOUS", parse::secret);
    let algorithm = reader.get("JWT_ALGORITHM", parse::algorithm);
    let issuer = reader.optional("JWT_ISSUER", parse::one_line);
    let audience = reader.get("JWT_AUDIENCE", parse::one_line);
    let folder = reader.optional("JWT_KEYS_DIR", |text| Ok(PathBuf::from(text)));
    let is_asymmetric = algorithm.as_ref().is_ok_and(|known| *known != JwtAlgorithm::Hs256);
    if !is_embedded && is_asymmetric && matches!(folder, Ok(None)) {
        reader.object("JWT_KEYS_DIR", "must be set with Postgres: all instances share the keys");
    }
    Ok(KeySettings {
        secret: secret?,
        previous_secret: previous_secret?,
        algorithm: algorithm?,
        issuer: issuer?
            .unwrap_or_else(|| server.map(|server| server.public_url.clone()).unwrap_or_default()),
        audience: audience?,
        folder: folder?,
    })
}

/// Lowest cost outside of development (contract §10).
const PRODUCTION_ROUNDS: u32 = 10;

fn hashing(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
    is_embedded: bool,
) -> Result<HashingScheme, Wrong> {
    let is_argon2 =
        reader.get("PASSWORD_HASHER", parse::word(&[("bcrypt", false), ("argon2id", true)]));
    let is_local = is_embedded && server.is_none_or(|server| server.host.is_loopback());
    let cost: Result<u32, Wrong> = reader.get("BCRYPT_ROUNDS", |text| {
        let cost = parse::whole_number(4, 17)(text)?;
        if cost < PRODUCTION_ROUNDS && !is_local {
            return Err(format!(
                "must be at least {PRODUCTION_ROUNDS}, unless the database is embedded and HOST is a loopback address"
            ));
        }
        Ok(cost)
    });
    let cost = cost?;
    Ok(if is_argon2? { HashingScheme::Argon2id } else { HashingScheme::BcryptSha256 { cost } })
}

fn rules(reader: &mut Reader, server: Option<&ServerSettings>) -> Result<Rules, Wrong> {
    let policies = [("basic", PasswordPolicy::Basic), ("composition", PasswordPolicy::Composition)];
    let disclosures = [("reveal", Disclosure::Reveal), ("hide", Disclosure::Hide)];
    let password_policy = reader.get("PASSWORD_POLICY", parse::word(&policies));
    let disclosure = reader.get("REGISTRATION_DISCLOSURE", parse::word(&disclosures));
    let per_source = reader.get("LOCKOUT_THRESHOLD", parse::whole_number(1, 1_000_000));
    let per_identifier = reader.get("LOCKOUT_ACCOUNT_THRESHOLD", parse::whole_number(1, 1_000_000));
    let lockout_duration = reader.get("LOCKOUT_DURATION", parse::duration);
    let json_access = reader.get("ACCESS_TOKEN_TTL", parse::duration);
    let json_session = reader.get("REFRESH_TOKEN_TTL", parse::duration);
    let refresh_grace = reader.get("REFRESH_GRACE", parse::duration_or_none);
    let form_access = reader.get("FORM_ACCESS_TOKEN_TTL", parse::duration);
    let form_session = reader.get("FORM_REFRESH_TOKEN_TTL", parse::duration);
    let form_rotates = reader.get("FORM_REFRESH_ROTATION", parse::switch);
    let verification_ttl = reader.get("VERIFICATION_TOKEN_TTL", parse::duration);
    let unverified_ttl = reader.get("UNVERIFIED_ACCOUNT_TTL", parse::duration);
    let reset_ttl = reader.get("RESET_TOKEN_TTL", parse::duration);
    let password_reset = reader.optional("PASSWORD_RESET_URL", parse::url);
    let public_url = server.map(|server| server.public_url.clone()).unwrap_or_default();
    let defaults = Rules::default();
    Ok(Rules {
        password_policy: password_policy?,
        disclosure: disclosure?,
        lockout: LockoutPolicy {
            per_source: per_source?,
            per_identifier: per_identifier?,
            duration: lockout_duration?,
        },
        json: SessionRules { access_ttl: json_access?, session_ttl: json_session?, rotates: true },
        form: SessionRules {
            access_ttl: form_access?,
            session_ttl: form_session?,
            rotates: form_rotates?,
        },
        refresh_grace: refresh_grace?,
        verification_ttl: verification_ttl?,
        reset_ttl: reset_ttl?,
        mail_cap: MailCap { ..defaults.mail_cap },
        unverified_ttl: unverified_ttl?,
        links: Links {
            password_reset: password_reset?
                .unwrap_or_else(|| format!("{public_url}/reset-password")),
            public_url,
        },
    })
}

fn http(reader: &mut Reader, server: Option<&ServerSettings>) -> Result<HttpSettings, Wrong> {
    let is_limited = reader.get("RATE_LIMIT_ENABLED", parse::switch);
    let window = reader.get("RATE_LIMIT_WINDOW", parse::seconds_or_duration);
    let limit = parse::whole_number(1, 1_000_000);
    let strict = reader.get("RATE_LIMIT_STRICT", &limit);
    let general = reader.get("RATE_LIMIT_DEFAULT", &limit);
    let public = reader.get("RATE_LIMIT_LENIENT", &limit);
    let user = reader.get("RATE_LIMIT_USER", &limit);
    let docs = reader.get("DOCS_ENABLED", parse::switch);
    let cors = reader.get("CORS_ORIGINS", parse::cors_origins);
    let trusted_proxies = reader.optional("TRUSTED_PROXIES", parse::networks);
    let since = reader.optional("API_V1_DEPRECATED_ON", parse::date);
    let sunset = reader.optional("API_V1_SUNSET_ON", parse::date);
    let guide = reader.optional("API_V1_MIGRATION_URL", parse::url);
    let rate_limits = RateLimits {
        window: window?,
        strict: strict?,
        general: general?,
        public: public?,
        user: user?,
    };
    let (sunset, guide) = (sunset?, guide?);
    Ok(HttpSettings {
        version: env!("CARGO_PKG_VERSION"),
        is_https: server.is_some_and(|server| server.public_url.starts_with("https://")),
        docs: docs?,
        cors: cors?,
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
        rate_limits: is_limited?.then_some(rate_limits),
        deprecation: since?.map(|since| Deprecation { since, sunset, guide }),
    })
}

fn log(reader: &mut Reader) -> Result<LogSettings, Wrong> {
    let is_json = reader.get("LOG_FORMAT", parse::word(&[("pretty", false), ("json", true)]));
    let level = reader.get("LOG_LEVEL", parse::log_level);
    Ok(LogSettings { is_json: is_json?, level: level? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(Reader::from_pairs(pairs)).map_err(|error| error.to_string())
    }

    #[test]
    fn without_anything_the_documented_defaults_hold() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.server.port, 8000);
        assert_eq!(settings.server.public_url, "http://localhost:8000");
        assert_eq!(settings.keys.issuer, "http://localhost:8000");
        assert_eq!(settings.http.cors, portcullis_http::CorsOrigins::Any);
        assert_eq!(settings.hashing, HashingScheme::BcryptSha256 { cost: 12 });
        let defaults = Rules::default();
        assert_eq!(settings.rules.json, defaults.json);
        assert_eq!(settings.rules.form, defaults.form);
        assert_eq!(settings.rules.lockout, defaults.lockout);
        assert_eq!(settings.rules.links, defaults.links);
        assert_eq!(settings.rules.refresh_grace, defaults.refresh_grace);
        assert_eq!(settings.rules.unverified_ttl, defaults.unverified_ttl);
    }

    #[test]
    fn the_public_url_follows_the_port() {
        let settings = read(&[("PORT", "9000")]).unwrap();
        assert_eq!(settings.server.public_url, "http://localhost:9000");
    }

    #[test]
    fn every_mistake_is_told_at_once_by_name() {
        let mistakes = [
            ("PORT", "abc"),
            ("HOST", "nowhere"),
            ("PUBLIC_URL", "localhost"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("BCRYPT_ROUNDS", "3"),
            ("JWT_ALGORITHM", "none"),
            ("ACCESS_TOKEN_TTL", "soon"),
            ("REFRESH_TOKEN_TTL", "0s"),
            ("TRUSTED_PROXIES", "10.0.0.0/99"),
            ("CORS_ORIGINS", "example.com"),
            ("RATE_LIMIT_ENABLED", "maybe"),
            ("MAIL_PROVIDER", "pigeon"),
            ("LOG_LEVEL", "verbose"),
            ("REDIS_URL", "http://localhost"),
            ("SMTP_URL", "http://localhost"),
            ("API_V1_SUNSET_ON", "tomorrow"),
            ("SECRET_KEY", "c4n4ry-too-short"),
        ];
        let told = read(&mistakes).err().unwrap();
        for (name, _) in mistakes {
            assert!(told.contains(name), "{name} is missing from:\n{told}");
        }
        assert!(!told.contains("c4n4ry"), "{told}");
    }

    #[test]
    fn weak_hashing_is_for_loopback_only() {
        assert!(read(&[("BCRYPT_ROUNDS", "4")]).is_ok());
        let told = read(&[("BCRYPT_ROUNDS", "4"), ("HOST", "0.0.0.0")]).err().unwrap();
        assert!(told.contains("BCRYPT_ROUNDS"), "{told}");
    }

    #[test]
    fn op_06_tokens_do_not_travel_in_the_clear() {
        let listening = ("HOST", "0.0.0.0");
        for open in ["http://auth.example.com", "http://127.0.0.1.example.com", "http://192.0.2.1"]
        {
            let told = read(&[listening, ("PUBLIC_URL", open)]).err().unwrap();
            assert!(told.contains("PUBLIC_URL"), "{told}");
            assert!(read(&[("PUBLIC_URL", open)]).is_ok(), "{open} in development");
        }
        let local = ["http://localhost:8080", "http://127.0.0.1:8000", "http://[::1]:8000"];
        for safe in local.into_iter().chain(["https://auth.example.com"]) {
            assert!(read(&[listening, ("PUBLIC_URL", safe)]).is_ok(), "{safe}");
        }
    }

    #[test]
    fn with_postgres_what_instances_share_must_be_given() {
        let postgres = ("DATABASE_URL", "postgres://ann:c4n4ry@localhost/auth");
        let told = read(&[postgres, ("JWT_ALGORITHM", "EdDSA"), ("BCRYPT_ROUNDS", "4")]);
        let told = told.err().unwrap();
        for name in ["SECRET_KEY:", "JWT_KEYS_DIR:", "BCRYPT_ROUNDS:"] {
            assert!(told.contains(name), "{name} is missing from:\n{told}");
        }
        assert!(!told.contains("c4n4ry"), "{told}");
    }

    #[test]
    fn a_provider_needs_what_it_is_reached_by() {
        for (provider, needed) in
            [("smtp", "SMTP_URL:"), ("resend", "RESEND_API_KEY:"), ("smtp,brevo", "BREVO_API_KEY:")]
        {
            let told = read(&[("MAIL_PROVIDER", provider)]).err().unwrap();
            assert!(told.contains(needed), "{needed} is missing from:\n{told}");
        }
        let both = [
            ("MAIL_PROVIDER", "smtp, resend"),
            ("MAIL_FROM", "Ann <ann@example.com>"),
            ("SMTP_URL", "smtps://ann:c4n4ry@example.com"),
            ("RESEND_API_KEY", "re_c4n4ry"),
        ];
        let settings = read(&both).unwrap();
        let names: Vec<_> = settings.mail.providers.iter().map(MailProvider::name).collect();
        assert_eq!(names, ["smtp", "resend"]);
        assert!(!settings.effective.contains("c4n4ry"), "{}", settings.effective);
        for wrong in ["smtp,smtp", "mailbox,smtp", "pigeon", ","] {
            assert!(read(&[("MAIL_PROVIDER", wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn effective_settings_mask_secrets() {
        let secret = "0123456789abcdefghijklmnopqrstuvwxyz";
        let settings = read(&[("SECRET_KEY", secret), ("PORT", "9000")]).unwrap();
        assert!(!settings.effective.contains(secret));
        assert!(settings.effective.contains("SECRET_KEY=********"), "{}", settings.effective);
        assert!(settings.effective.contains("PORT=9000"));
        assert!(settings.effective.contains("PASSWORD_HASHER=bcrypt"));
    }

    #[test]
    fn wherever_an_address_holds_a_password_it_is_masked() {
        let secret = ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuvwxyz");
        for (name, address) in [
            ("DATABASE_URL", "postgres://ann:c4n4ry@host/auth?sslmode=require"),
            ("DATABASE_URL", "postgres://host/auth?user=ann&password=c4n4ry"),
            ("REDIS_URL", "redis://:c4n4ry@host:6379"),
            ("REDIS_URL", "redis://:c4n4ry@a:1,redis://:c4n4ry@b:2"),
            ("REDIS_URL", "redis+sentinel://:c4,n4ry@a:1,b:2/auth"),
            ("REDIS_URL", "rediss://:c4n4ry@host:6380?ca=/etc/ca.pem"),
        ] {
            let effective = read(&[secret, (name, address)]).unwrap().effective;
            assert!(!effective.contains("n4ry"), "{effective}");
        }
    }

    #[test]
    fn an_empty_secret_is_a_mistake_and_other_empty_values_are_none() {
        assert!(read(&[("SECRET_KEY", "")]).is_err());
        assert!(read(&[("CORS_ORIGINS", "")]).is_err());
        assert!(read(&[("TRUSTED_PROXIES", ""), ("PORT", "")]).is_ok());
    }
}
