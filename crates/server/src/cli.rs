//! The command line.

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
    /// Ask a running server for /health; the exit code tells (for containers)
    Healthcheck {
        /// Where it listens; by default, where the settings say
        #[arg(long)]
        url: Option<String>,
    },
}
