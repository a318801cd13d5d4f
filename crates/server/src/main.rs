//! The `portcullis` binary: reads settings, picks adapters, starts.

mod cli;
mod healthcheck;
mod key_material;
mod serve;
mod settings;
mod telemetry;
mod users;
mod wire;
mod workers;

use std::process::ExitCode;

use clap::Parser;
use portcullis_domain::error::with_causes;

use crate::cli::{Cli, Command, UsersCommand};
use crate::settings::Settings;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(),
        Command::Migrate => wire::migrate(),
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
        Command::Healthcheck { url } => healthcheck::healthcheck(url),
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

fn openapi() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", portcullis_http::document().to_pretty_json()?);
    Ok(())
}
