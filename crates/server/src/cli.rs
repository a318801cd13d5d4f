//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A self-hosted JWT authentication service.
///
/// Without a command it serves. It needs no installation and no settings: it
/// keeps everything in `data/`, and mails appear at /dev/mailbox instead of
/// being sent. Settings are environment variables, or lines of a `.env` file;
/// `portcullis config --reference` lists them all.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  \
        portcullis                              start on http://127.0.0.1:8000\n  \
        PORT=9000 LOG_LEVEL=debug portcullis    the same elsewhere, and talkative\n  \
        portcullis config                       what is set, and where it comes from\n  \
        portcullis openapi > openapi.json       the API's description"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API (the default)
    ///
    /// Migrates the database first. SIGTERM or Ctrl-C stops it gracefully:
    /// requests under way are finished within `SHUTDOWN_GRACE`; a second one
    /// stops it at once.
    Serve,
    /// Bring the database to this version's schema, and stop
    Migrate,
    /// Print the API's `OpenAPI` document
    Openapi,
    /// Print the effective settings, secrets masked
    Config {
        /// Print what every setting means, as a table, instead
        #[arg(long)]
        reference: bool,
    },
    /// See mails that were given up, and send them again
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Ask a running server for /health; the exit code tells (for containers)
    Healthcheck {
        /// Where it listens; by default, where the settings say
        #[arg(long)]
        url: Option<String>,
    },
    /// Move accounts in from elsewhere, or out
    #[command(subcommand)]
    Users(UsersCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Add the accounts of a file, with their passwords and ids
    ///
    /// The file has one JSON object a line, which needs an email, a name and a
    /// `password_hash`: bcrypt, argon2id, scrypt, Django's `pbkdf2_sha256` or
    /// Firebase's scrypt. People log in with the passwords they have; at its
    /// first login each hash is replaced by one of this server's own.
    /// `docs/moving-in.md` describes every field, and the way here from
    /// Keycloak, Django, Firebase and Auth0.
    ///
    /// A line that cannot be imported is reported on standard error by its
    /// number, and the others go on. Accounts that are there already stay as
    /// they are: a run that was stopped is repeated to go on. The server may
    /// run meanwhile. The exit code is 0 if no line was refused.
    #[command(after_help = "Examples:\n  \
        portcullis users import people.ndjson --dry-run        say what would happen\n  \
        portcullis users import people.ndjson 2> refused.txt   do it\n  \
        zcat people.ndjson.gz | portcullis users import -      from standard input")]
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
        /// Check every line, against the others and the database, and write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Write all accounts, one JSON object a line, as `import` reads them
    ///
    /// The lines hold password hashes: keep them as you keep the database.
    #[command(after_help = "Examples:\n  \
        portcullis users export --output people.ndjson         to a new file, yours alone\n  \
        portcullis users export | gzip > people.ndjson.gz      to another program")]
    Export {
        /// A file that is not there yet; by default standard output
        #[arg(long)]
        output: Option<PathBuf>,
    },
}

/// `portcullis outbox`.
#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List mails that were given up, with the reason
    ///
    /// A mail is given up when its recipient is refused for good, or after a
    /// day of attempts. No mail is kept as text, and no token: what is listed is
    /// who is owed what.
    List {
        /// List the mails that are still to be sent, instead
        #[arg(long)]
        pending: bool,
    },
    /// Make mails due again that were given up
    ///
    /// A running server sends them. A link that has expired is not sent: its
    /// mail is given up again, and its recipient has to ask for another.
    Retry {
        /// Ids, as `outbox list` shows them
        #[arg(required_unless_present = "all")]
        ids: Vec<uuid::Uuid>,
        /// All that were given up, the oldest 1,000 of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}
