//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use portcullis_domain::{InvalidPassword, MAX_DEMO_USERS, Password};

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
    /// Look at everything that serving needs, and say what to do about it
    ///
    /// Reads the settings as `serve` would; then asks the database, Redis and the
    /// mail server, side by side and for three seconds at most, and looks at keys,
    /// disk, services and unsafe settings. It changes nothing, sends no mail, makes
    /// no call that costs, and shows no secret. Run it before the first start, after
    /// a change of settings, and when something is odd.
    ///
    /// Each line is ok, off (not used), warning (works, and something should be
    /// done) or wrong. The exit code is 1 if anything is wrong; with warnings alone
    /// it is 0.
    #[command(after_help = "Examples:\n  \
        portcullis doctor                                      a table; NO_COLOR=1 takes its colours away\n  \
        portcullis doctor --json | jq '.checks[] | select(.state == \"wrong\")'\n  \
        portcullis doctor > /dev/null || echo 'not yet'        the exit code alone")]
    Doctor {
        /// One JSON object: version, healthy, and checks, each with what, state,
        /// found and `to_do`
        #[arg(long)]
        json: bool,
    },
    /// See the keys that sign access tokens, and replace them without a restart
    #[command(subcommand)]
    Keys(KeysCommand),
    /// See mails that were given up, and send them again
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// See background jobs that were given up, and have them done
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Ask a running server for /health; the exit code tells (for containers)
    Healthcheck {
        /// Where it listens; by default, where the settings say
        #[arg(long)]
        url: Option<String>,
    },
    /// Move accounts in from elsewhere, or out, or make some up
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
    /// Add demo users, who share one password
    ///
    /// Demo users have numbers from 1 on, and each number is one person for ever:
    /// number 1 is Adaeze Andersen, adaeze.andersen.1@demo.example.com. So a run
    /// that was stopped, or killed, is repeated to go on, and a greater count adds
    /// the ones that are missing; whoever is there stays, with the password they
    /// had. All are verified, and have a username, which is their address up to the
    /// `@`. The server may run meanwhile.
    ///
    /// Not for production: whoever has the password can log in as any of them.
    /// Where there are other accounts, `--yes` is asked for.
    #[command(after_help = "Examples:\n  \
        portcullis users seed --count 100                     with a password that is drawn\n  \
        portcullis users seed --count 100 --password '…'      with one of your own\n  \
        portcullis users seed --count 100000 --in-background  a running server adds them")]
    Seed(Seed),
}

/// `portcullis users seed`.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// How many demo users there are to be
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DEMO_USERS)))]
    pub(crate) count: u32,
    /// Their password; by default one is drawn, and told once. Other users of this
    /// machine may see a command's arguments
    #[arg(long, value_parser = password)]
    pub(crate) password: Option<Password>,
    /// Leave the work to a running server, as a job
    #[arg(long)]
    pub(crate) in_background: bool,
    /// Add them although there are accounts that are no demo users
    #[arg(long)]
    pub(crate) yes: bool,
}

fn password(text: &str) -> Result<Password, InvalidPassword> {
    Password::parse(text)
}

/// `portcullis jobs`.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs that were given up, with the reason
    ///
    /// A job is what a running server does when nobody waits for it: adding demo
    /// users, for example. It is given up after a day of attempts.
    List {
        /// List the jobs that are still to be done, instead
        #[arg(long)]
        pending: bool,
    },
    /// Make jobs due again that were given up
    ///
    /// A running server does them, from where they were left.
    Retry {
        /// Ids, as `jobs list` shows them
        #[arg(required_unless_present = "all")]
        ids: Vec<uuid::Uuid>,
        /// All that were given up, the oldest 1,000 of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

/// `portcullis keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys: which signs, which is next, which may be retired
    ///
    /// A key lies in `JWT_KEYS_DIR` as `<kid>.pem`. All of them verify, and are
    /// published at /.well-known/jwks.json. Of those whose time has come, the one
    /// whose name sorts last signs; a name that ends in `-from-<time>` has its time
    /// in it. So a key goes its way: next (published, does not sign yet), signing,
    /// retiring (its tokens may be alive), spent (they are not), gone.
    ///
    /// HS256 has no such keys: there it says how to replace the secret.
    List,
    /// Make a new key, which signs from a later time on
    ///
    /// Every server that reads the folder sees the new key within a few seconds,
    /// without a restart, and publishes it. It signs when `JWT_KEY_OVERLAP` is over:
    /// by then every instance knows it, and every other service has asked for the
    /// published keys again, which it may keep for 5 minutes. The key before it goes
    /// on to verify until it is retired, so nobody is logged out.
    ///
    /// While a new key waits for its time, no other is made: the command may be
    /// repeated, by a timer even. In an empty folder it makes the first key. The
    /// clocks of this machine and the database should agree much better than the
    /// overlap is long.
    #[command(after_help = "A rotation:\n  \
        portcullis keys rotate         now the next key is published\n  \
        portcullis keys list           after the overlap it signs, and the one before is retiring\n  \
        portcullis keys retire --due   when its last tokens have expired")]
    Rotate,
    /// Remove keys that no living token was signed with
    ///
    /// Servers stop to publish and accept a removed key within a few seconds. A key
    /// that signs, that is about to, or whose tokens may be alive is not removed,
    /// unless by `--force`: then whoever holds such a token has to refresh it, and
    /// clients do that by themselves. That is the way to be rid of a key that
    /// somebody has stolen: `rotate` first, if no other key is there to sign.
    ///
    /// How long tokens live is taken from the settings as they are: after a change
    /// that makes them live shorter, wait as long as they lived before.
    #[command(after_help = "Examples:\n  \
        portcullis keys retire --due               all that are spent; may be repeated\n  \
        portcullis keys retire 2026-01-31          this one, if it is spent\n  \
        portcullis keys retire --force 2026-01-31  this one at once: its tokens are refused")]
    Retire {
        /// Names of keys, as `keys list` shows them
        #[arg(required_unless_present = "due")]
        kids: Vec<String>,
        /// All that are spent
        #[arg(long, conflicts_with_all = ["kids", "force"])]
        due: bool,
        /// Even if tokens that they signed may be alive
        #[arg(long)]
        force: bool,
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
