//! `fore model`: the model file that everything else reads.

mod export;
mod fit_head;
mod list;
mod pull;
mod rollback;
mod use_model;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::error::AppError;

/// Fetch, choose or make the model file.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Pull(pull::Args),
    Use(use_model::Args),
    Rollback(rollback::Args),
    Export(export::Args),
    List(list::Args),
    FitHead(fit_head::Args),
}

pub(crate) fn run(command: Command, config: &Config) -> Result<ExitCode, AppError> {
    match command {
        Command::Pull(args) => pull::run(&args, config),
        Command::Use(args) => use_model::run(&args, config),
        Command::Rollback(args) => rollback::run(&args, config),
        Command::Export(args) => export::run(&args, config),
        Command::List(args) => list::run(&args, config),
        Command::FitHead(args) => fit_head::run(&args, config),
    }?;
    Ok(ExitCode::SUCCESS)
}
