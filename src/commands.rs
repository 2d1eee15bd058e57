//! Every command: a file or folder each, with its arguments, its help text and what it does. No command
//! takes anything from another; what two need is a room beside this one.

mod add;
mod ask;
mod bench;
mod daemon;
mod eval;
mod list;
mod model;
mod pause;
mod read_files;
mod remove;
mod resume;
mod screen;
mod status;
mod sync;
mod train;
mod why_not;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::Global;
use crate::config::Config;
use crate::error::AppError;
use crate::runtime::wait_for;

/// Search your folders by thinking first: a small local model thinks about the question, and
/// the thought helps to find the passages. Without a command, the full-screen view opens.
#[derive(Debug, Parser)]
#[command(name = "fore", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Ask(ask::Args),
    Add(add::Args),
    Remove(remove::Args),
    List(list::Args),
    Sync(sync::Args),
    Status(status::Args),
    Pause(pause::Args),
    Resume(resume::Args),
    WhyNot(why_not::Args),
    #[command(subcommand)]
    Daemon(daemon::Command),
    #[command(subcommand)]
    Model(model::Command),
    Eval(eval::Args),
    Bench(bench::Args),
    Train(Box<train::Args>),
    /// The process that a daemon reads files in.
    #[command(name = READ_FILES, hide = true)]
    ReadFiles,
}

/// Name of the command that a daemon gives to itself.
pub(crate) const READ_FILES: &str = "read-files";

pub(crate) use read_files::run as read_files;

/// Runs the command to its end; without one, the full-screen view.
pub(crate) fn run(command: Option<Command>, config: Config) -> Result<ExitCode, AppError> {
    match command {
        None => wait_for(screen::run(config)),
        Some(Command::Ask(args)) => wait_for(ask::run(&args, &config)),
        Some(Command::Add(args)) => wait_for(add::run(&args, &config)),
        Some(Command::Remove(args)) => wait_for(remove::run(&args, &config)),
        Some(Command::List(args)) => wait_for(list::run(&args, &config)),
        Some(Command::Sync(args)) => wait_for(sync::run(&args, &config)),
        Some(Command::Status(args)) => wait_for(status::run(&args, &config)),
        Some(Command::Pause(args)) => wait_for(pause::run(&args, &config)),
        Some(Command::Resume(args)) => wait_for(resume::run(&args, &config)),
        Some(Command::WhyNot(args)) => wait_for(why_not::run(&args, &config)),
        Some(Command::Daemon(command)) => daemon::run(command, config),
        Some(Command::Model(command)) => model::run(command, &config),
        Some(Command::Eval(args)) => eval::run(&args, config, std::env::args_os().skip(1)),
        Some(Command::Bench(args)) => bench::run(&args, config),
        Some(Command::Train(args)) => train::run(&args, config),
        Some(Command::ReadFiles) => read_files(),
    }
}
