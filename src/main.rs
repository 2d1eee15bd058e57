//! `fore`: arguments and wiring. Parses, decides the configuration, runs one command, and turns an
//! error into a message, hints and an exit status.

mod args;
mod ask;
mod backend;
mod config;
mod conversation;
mod daemon_command;
mod error;
mod eval_command;
mod fit_command;
mod index_commands;
mod launch;
mod model_command;
mod output;
mod pull;
mod render;
mod runtime_dir;
mod serve;
mod status_command;
mod train_command;
mod tui_command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, DaemonCommand};
use crate::config::{Config, Surroundings};
use crate::error::AppError;

/// Training and encoding ask for the same large blocks again and again; the C library's allocator
/// gives each back to the system at once, which clears it anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run(Args::parse()).unwrap_or_else(|error| error.report())
}

fn run(args: Args) -> Result<ExitCode, AppError> {
    let outside = Surroundings {
        variable: &|name| std::env::var_os(name),
        user_id: rustix::process::getuid().as_raw(),
        // A directory that was removed under us is no reason to fail: few commands need one.
        working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    let config = Config::load(&args.global, &outside)?;
    match args.command {
        None => wait_for(tui_command::run(config)),
        Some(Command::Ask(args)) => wait_for(ask::run(&args, &config)),
        Some(Command::Add { dir, no_wait }) => {
            wait_for(index_commands::add(&dir, no_wait, &config))
        }
        Some(Command::Remove { dir }) => wait_for(index_commands::remove(&dir, &config)),
        Some(Command::List { json }) => wait_for(index_commands::list(json, &config)),
        Some(Command::Sync) => wait_for(index_commands::sync(&config)),
        Some(Command::Status { json } | Command::Daemon(DaemonCommand::Status { json })) => {
            wait_for(status_command::run(json, &config))
        }
        Some(Command::Daemon(DaemonCommand::Run)) => serve::run(config),
        Some(Command::Daemon(DaemonCommand::Start)) => wait_for(daemon_command::start(&config)),
        Some(Command::Daemon(DaemonCommand::Stop)) => wait_for(daemon_command::stop(&config)),
        Some(Command::Model(command)) => {
            model_command::run(&command, &config).map(|()| ExitCode::SUCCESS)
        }
        Some(Command::Eval(args)) => eval_command::run(&args, config, std::env::args_os().skip(1)),
        Some(Command::Train(args)) => train_command::run(&args, config),
    }
}

/// Runs a client of the daemon to its end. One thread is enough for one connection.
fn wait_for(
    client: impl Future<Output = Result<ExitCode, AppError>>,
) -> Result<ExitCode, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::io("starting the runtime", &error))?;
    runtime.block_on(client)
}
