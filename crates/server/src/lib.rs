//! What the `portcullis` binary does: reads settings, picks adapters, starts.

mod cli;
mod connection;
mod doctor;
#[cfg(fuzzing)]
pub mod fuzzing;
mod given_up;
mod healthcheck;
mod jobs;
mod key_material;
mod key_watch;
mod keys;
mod mail;
mod metrics;
mod outbox;
mod serve;
mod services;
mod settings;
mod storage;
mod telemetry;
mod traces;
mod users;
mod wire;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use portcullis_domain::error::with_causes;

use crate::cli::{Cli, Command, JobsCommand, KeysCommand, OutboxCommand, UsersCommand};
use crate::settings::Settings;

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(),
        Command::Migrate => block_on(wire::migrate()),
        Command::Openapi => openapi(),
        Command::Config { reference: true } => {
            print!("{}", settings::reference());
            Ok(())
        }
        Command::Config { reference: false } => {
            Settings::load().map_err(Into::into).map(|loaded| {
                print!("{}", loaded.effective);
            })
        }
        Command::Doctor { json } => match doctor::doctor(json) {
            Ok(verdict) => return verdict,
            Err(error) => Err(error),
        },
        Command::Healthcheck { url } => healthcheck::healthcheck(url),
        Command::Keys(KeysCommand::List) => keys::list(),
        Command::Keys(KeysCommand::Rotate) => keys::rotate(),
        Command::Keys(KeysCommand::Retire { kids, due, force }) => keys::retire(&kids, due, force),
        Command::Outbox(OutboxCommand::List { pending }) => block_on(outbox::list(pending)),
        Command::Outbox(OutboxCommand::Retry { ids, all }) => block_on(outbox::retry(&ids, all)),
        Command::Jobs(JobsCommand::List { pending }) => block_on(jobs::list(pending)),
        Command::Jobs(JobsCommand::Retry { ids, all }) => block_on(jobs::retry(&ids, all)),
        Command::Users(UsersCommand::Seed(order)) => block_on(users::seed(order)),
        Command::Users(UsersCommand::Import { file, dry_run }) => users::import(&file, dry_run),
        Command::Users(UsersCommand::Export { output }) => users::export(output.as_deref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portcullis: {}", with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

/// The runtime of everything that is not answering requests.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn block_on(
    command: impl Future<Output = Result<(), Box<dyn std::error::Error>>>,
) -> Result<(), Box<dyn std::error::Error>> {
    runtime()?.block_on(command)
}

fn openapi() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", portcullis_http::document().to_pretty_json()?);
    Ok(())
}
