//! `fore daemon`: the service as a process.

mod run;
mod start;
mod stop;

use std::process::ExitCode;

use clap::Subcommand;

use crate::config::Config;
use crate::error::AppError;
use crate::runtime::wait_for;
use crate::service_status;

/// Run, start or stop the background service.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Run the service in this terminal until Ctrl-C.
    Run,
    /// Start the service in the background; fine if it runs already.
    Start,
    /// Stop the service and wait until it has ended; fine if none runs.
    Stop,
    /// Show whether the service runs, with its model and index.
    Status {
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(command: Command, config: Config) -> Result<ExitCode, AppError> {
    match command {
        Command::Run => run::run(config),
        Command::Start => wait_for(start::run(&config)),
        Command::Stop => wait_for(stop::run(&config)),
        Command::Status { json } => wait_for(service_status::print(json, &config)),
    }
}
