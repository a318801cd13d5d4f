//! The `portcullis` binary: reads settings, picks adapters, starts.

mod cli;
mod healthcheck;
mod key_material;
mod serve;
mod settings;
mod telemetry;
mod wire;
mod workers;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
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
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portcullis: {}", told(&*error));
            ExitCode::FAILURE
        }
    }
}

fn openapi() -> Result<(), Box<dyn std::error::Error>> {
    println!("{}", portcullis_http::document().to_pretty_json()?);
    Ok(())
}

/// An error and everything behind it, for whoever started the program.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
