//! Every setting, its default and its meaning: the one place that the reader,
//! `portcullis config --reference` and the README share.

use std::fmt::Write;

/// A setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// What holds when it is not set; `{PORT}` stands for that setting.
    pub(super) default: Preset,
    pub(super) about: &'static str,
    pub(super) secrecy: Secrecy,
}

/// How much of a setting's value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    /// All of it.
    Open,
    /// An address: what stands before its `@` is not.
    Address,
    /// Nothing.
    Secret,
}

impl Setting {
    /// Whether it may come from a file, and is never repeated in a message.
    pub(super) fn is_secret(&self) -> bool {
        self.secrecy != Secrecy::Open
    }
}

/// What holds when a setting is not set.
#[derive(Clone, Copy)]
pub(super) enum Preset {
    /// This text, as if it had been set.
    Text(&'static str),
    /// Something that depends on the machine or on other settings.
    Derived(&'static str, fn() -> String),
    /// Nothing; what that means.
    Nothing(&'static str),
}

const fn setting(name: &'static str, default: Preset, about: &'static str) -> Setting {
    Setting { name, default, about, secrecy: Secrecy::Open }
}

const fn secret(name: &'static str, default: Preset, about: &'static str) -> Setting {
    Setting { name, default, about, secrecy: Secrecy::Secret }
}

const fn address(name: &'static str, default: Preset, about: &'static str) -> Setting {
    Setting { name, default, about, secrecy: Secrecy::Address }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn log_format() -> String {
    use std::io::IsTerminal;
    if std::io::stderr().is_terminal() { "pretty".into() } else { "json".into() }
}

use Preset::{Derived, Nothing, Text};

pub(super) const SETTINGS: &[Setting] = &[
    setting("HOST", Text("127.0.0.1"), "Address to listen on; `0.0.0.0` for all"),
    setting("PORT", Text("8000"), "Port to listen on"),
    setting(
        "PUBLIC_URL",
        Text("http://localhost:{PORT}"),
        "Origin under which clients reach it; links in mails begin with it",
    ),
    address(
        "DATABASE_URL",
        Text("sqlite://data/portcullis.db"),
        "The embedded database file (`sqlite:///…` for an absolute path), or `postgres://user:password@host:port/database?sslmode=…`",
    ),
    setting(
        "DATABASE_POOL_SIZE",
        Derived("2 × cores, at least 8", || (2 * cores()).max(8).to_string()),
        "Connections to the database; of SQLite for reading, writes have one of their own",
    ),
    address(
        "REDIS_URL",
        Nothing("none: limits are counted in process"),
        "`redis://…`, `rediss://…`, several by commas for a cluster, or `redis+sentinel://host:port,…/service`",
    ),
    secret(
        "SECRET_KEY",
        Nothing("generated once, kept beside the embedded database"),
        "Signs HS256 tokens and keys all others; 32 bytes or more, random; required with Postgres",
    ),
    secret(
        "SECRET_KEY_PREVIOUS",
        Nothing("none"),
        "The secret before the current one: still verifies, never signs",
    ),
    setting("JWT_ALGORITHM", Text("HS256"), "`HS256`, `EdDSA`, `ES256` or `RS256`"),
    setting("JWT_ISSUER", Nothing("`PUBLIC_URL`"), "The `iss` claim"),
    setting("JWT_AUDIENCE", Text("portcullis"), "The `aud` claim"),
    setting(
        "JWT_KEYS_DIR",
        Nothing("`keys` beside the embedded database"),
        "PKCS#8 files `<kid>.pem`: the name that sorts last signs, all verify; looked at every 2 s",
    ),
    setting(
        "JWT_KEY_OVERLAP",
        Nothing("the longest life of an access token, and 10 minutes"),
        "How long `keys rotate` has a new key published before it signs, 5 s or more",
    ),
    setting("ACCESS_TOKEN_TTL", Text("30m"), "Life of an access token (contract A)"),
    setting("REFRESH_TOKEN_TTL", Text("30d"), "Life of a session (contract A)"),
    setting(
        "REFRESH_GRACE",
        Text("10s"),
        "How long a rotated refresh token may be presented again",
    ),
    setting("FORM_ACCESS_TOKEN_TTL", Text("1h"), "Life of an access token (contract B)"),
    setting("FORM_REFRESH_TOKEN_TTL", Text("24h"), "Life of a session (contract B)"),
    setting(
        "FORM_REFRESH_ROTATION",
        Text("false"),
        "Whether contract B's refresh tokens rotate too",
    ),
    setting("VERIFICATION_TOKEN_TTL", Text("24h"), "Life of a verification link"),
    setting(
        "UNVERIFIED_ACCOUNT_TTL",
        Text("72h"),
        "How long an address waits to be verified; then its account is removed, unless it has a username",
    ),
    setting("RESET_TOKEN_TTL", Text("1h"), "Life of a password reset link"),
    setting("PASSWORD_HASHER", Text("bcrypt"), "`bcrypt` (bcrypt-sha256) or `argon2id`"),
    setting(
        "BCRYPT_ROUNDS",
        Text("12"),
        "Cost of bcrypt, 4 to 17; below 10 only embedded and on a loopback `HOST`",
    ),
    setting(
        "HASHING_PATIENCE",
        Text("4s"),
        "How long a password may wait to be hashed; whoever would wait longer gets 503",
    ),
    setting(
        "PASSWORD_POLICY",
        Text("basic"),
        "`basic`, or `composition` for upper, lower, digit and special",
    ),
    setting(
        "LOCKOUT_THRESHOLD",
        Text("10"),
        "Failures in a row that lock an identifier for one client",
    ),
    setting("LOCKOUT_DURATION", Text("1h"), "How long a lock holds"),
    setting(
        "LOCKOUT_ACCOUNT_THRESHOLD",
        Text("100"),
        "Failures in a row that lock an identifier for everybody",
    ),
    setting("RATE_LIMIT_ENABLED", Text("true"), "Whether requests are limited at all"),
    setting("RATE_LIMIT_WINDOW", Text("60"), "The window, in seconds or as a duration"),
    setting(
        "RATE_LIMIT_STRICT",
        Text("10"),
        "Logins, registrations and mail requests per window and client",
    ),
    setting("RATE_LIMIT_DEFAULT", Text("100"), "Other requests per window and client"),
    setting("RATE_LIMIT_LENIENT", Text("1000"), "Public documents per window and client"),
    setting("RATE_LIMIT_USER", Text("300"), "Authenticated requests per window and user"),
    setting(
        "REGISTRATION_DISCLOSURE",
        Text("reveal"),
        "`reveal` tells that an address is taken; `hide` mails its owner instead",
    ),
    setting(
        "VERSION_DISCLOSURE",
        Text("reveal"),
        "Whether /health and the API's description tell the version: `reveal` or `hide`",
    ),
    setting(
        "TRUSTED_PROXIES",
        Nothing("none"),
        "Networks whose `X-Forwarded-For` counts: `10.0.0.0/8,…`",
    ),
    setting("CORS_ORIGINS", Text("*"), "Origins whose pages may call: `https://app.example.com,…`"),
    setting(
        "MAIL_PROVIDER",
        Text("mailbox"),
        "`mailbox` (mails are kept and shown at /dev/mailbox), `smtp`, `resend`, `brevo`; several of the last three by commas: the next is tried when one is away",
    ),
    setting("MAIL_FROM", Text("Portcullis <noreply@localhost>"), "Sender of mails"),
    address(
        "SMTP_URL",
        Nothing("required with `smtp`"),
        "`smtps://user:password@host` (TLS), `smtp://…` (STARTTLS; plaintext on this machine); `?ca=…&timeout=…`",
    ),
    secret("RESEND_API_KEY", Nothing("required with `resend`"), "Key of Resend's API"),
    secret("BREVO_API_KEY", Nothing("required with `brevo`"), "Key of Brevo's API"),
    setting("RESEND_BASE_URL", Nothing("`https://api.resend.com`"), "Another address of the API"),
    setting("BREVO_BASE_URL", Nothing("`https://api.brevo.com`"), "Another address of the API"),
    setting(
        "PASSWORD_RESET_URL",
        Nothing("the built-in page"),
        "Page for a new password; `{token}` in it stands for the token, else `#token=…` is added",
    ),
    setting("FIREBASE_LOGIN", Text("false"), "Whether people may log in with Firebase ID tokens"),
    setting(
        "FIREBASE_MESSAGING",
        Text("false"),
        "Whether registered devices are told of new sign-ins, by Firebase Cloud Messaging",
    ),
    setting("FIREBASE_PROJECT_ID", Nothing("required with Firebase"), "The Firebase project"),
    setting("FIREBASE_CLIENT_EMAIL", Nothing("required with Firebase"), "Its service account"),
    secret(
        "FIREBASE_PRIVATE_KEY",
        Nothing("required with Firebase"),
        "The account's private key, PEM; line ends may be written `\\n`",
    ),
    setting(
        "FIREBASE_PRIVATE_KEY_PATH",
        Nothing("none"),
        "A file with the key, which wins if it exists",
    ),
    setting("FIREBASE_PRIVATE_KEY_ID", Nothing("none"), "The key's id"),
    setting("FIREBASE_CLIENT_ID", Nothing("none"), "The account's number"),
    setting("FIREBASE_TOKEN_URI", Nothing("Google's"), "Another address of Google's access tokens"),
    setting("FIREBASE_IDENTITY_URL", Nothing("Google's"), "Another address of Identity Toolkit"),
    setting("FIREBASE_KEYS_URL", Nothing("Google's"), "Another address of the keys of ID tokens"),
    setting("FIREBASE_MESSAGING_URL", Nothing("Google's"), "Another address of Cloud Messaging"),
    setting(
        "FIREBASE_AUTH_EMULATOR_HOST",
        Nothing("none"),
        "`host:port` of Firebase's Auth emulator, whose tokens nobody signs: in development only",
    ),
    address(
        "OBJECT_STORE_URL",
        Nothing("no pictures"),
        "Where pictures are kept: `file:<folder>` (of one instance), `b2://<bucket>?region=…`, `s3://<bucket>?region=…&endpoint=…`, `gs://<bucket>`",
    ),
    setting(
        "OBJECT_STORE_KEY_ID",
        Nothing("required with `s3`, `b2`"),
        "Name of the access key (B2: `applicationKeyId`)",
    ),
    secret(
        "OBJECT_STORE_KEY",
        Nothing("required with `s3`, `b2`"),
        "The access key (B2: `applicationKey`)",
    ),
    setting(
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        Nothing("required with `gs`"),
        "The service account's JSON file",
    ),
    setting("AVATAR_MAX_BYTES", Text("5242880"), "Largest picture that is taken, in bytes"),
    setting(
        "APP_STORE_BUNDLE_ID",
        Nothing("no purchases"),
        "The app whose purchases in Apple's App Store are noted",
    ),
    setting("APP_STORE_ENVIRONMENT", Text("production"), "`production` or `sandbox`"),
    setting("APP_STORE_APP_ID", Nothing("required in production"), "The app's number at Apple"),
    setting(
        "APP_STORE_ISSUER_ID",
        Nothing("required with purchases"),
        "Issuer id, from App Store Connect",
    ),
    setting(
        "APP_STORE_KEY_ID",
        Nothing("required with purchases"),
        "Id of the key for in-app purchases",
    ),
    secret(
        "APP_STORE_PRIVATE_KEY",
        Nothing("required with purchases"),
        "The key: the text of its `.p8` file",
    ),
    setting(
        "APP_STORE_PRIVATE_KEY_PATH",
        Nothing("none"),
        "The `.p8` file itself, which wins if it exists",
    ),
    setting(
        "APP_STORE_BASE_URL",
        Nothing("Apple's"),
        "Another address of the App Store Server API",
    ),
    setting(
        "APP_STORE_ROOT_CERTIFICATES",
        Nothing("Apple's, built in"),
        "A file of other root certificates, for a simulator, in development only: whoever holds their keys can sign purchases",
    ),
    setting("DOCS_ENABLED", Text("true"), "Whether /docs, /redoc and /openapi.json exist"),
    setting("API_V1_DEPRECATED_ON", Nothing("none"), "Date since when version 1 is deprecated"),
    setting("API_V1_SUNSET_ON", Nothing("none"), "Date when version 1 goes away"),
    setting("API_V1_MIGRATION_URL", Nothing("none"), "Guide to the next version"),
    setting(
        "LOG_FORMAT",
        Derived("`pretty` on a terminal, else `json`", log_format),
        "`pretty` or `json`",
    ),
    setting("LOG_LEVEL", Text("info"), "`error`, `warn`, `info`, `debug`, `trace`, or a filter"),
    address(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        Nothing("no traces"),
        "Collector that traces of requests are sent to (OTLP over HTTP), such as `http://127.0.0.1:4318`",
    ),
    secret(
        "OTEL_EXPORTER_OTLP_HEADERS",
        Nothing("none"),
        "Headers that the collector wants: `api-key=…,…`",
    ),
    setting("OTEL_SERVICE_NAME", Text("portcullis"), "The service's name in traces"),
    setting(
        "OTEL_TRACES_SAMPLER_ARG",
        Text("1"),
        "Share of the traces begun here that is recorded, 0 to 1; of others their beginner decides",
    ),
    setting("SHUTDOWN_GRACE", Text("30s"), "How long requests under way may take when it stops"),
    setting(
        "SHUTDOWN_DELAY",
        Text("0s"),
        "How long it serves on after it was told to stop, while /health/ready answers 503",
    ),
    setting(
        "SEEDING_USER_COUNT",
        Nothing("none"),
        "Demo users without a password that are added every 10 s, by one of all instances; not for production",
    ),
    setting(
        "METRICS_ADDR",
        Nothing("none"),
        "Address and port for `GET /metrics` in the text format of Prometheus, such as `127.0.0.1:9100`; keep it where only your monitoring reaches it",
    ),
    setting("WORKERS", Derived("cores", || cores().to_string()), "Threads that serve requests"),
];

pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Whether a variable is a setting, or names the file of one.
pub(super) fn is_known(name: &str) -> bool {
    let of_file = || name.strip_suffix("_FILE").and_then(find).filter(|found| found.is_secret());
    find(name).or_else(of_file).is_some()
}

/// The table as Markdown.
pub(crate) fn reference() -> String {
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for setting in SETTINGS {
        let default = match setting.default {
            Text(text) => format!("`{text}`"),
            Derived(told, _) | Nothing(told) => told.to_owned(),
        };
        let _ = writeln!(table, "| `{}` | {default} | {} |", setting.name, setting.about);
    }
    table
}
