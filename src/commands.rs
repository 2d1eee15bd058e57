//! Every command: a file or folder each, with its arguments, its help text and what it does. No command
//! takes anything from another; what two need is a room beside this one.

mod add;
mod ask;
mod bench;
mod completions;
mod config;
mod daemon;
mod doctor;
mod draw_page;
mod eval;
mod list;
mod marks;
mod mcp;
mod model;
mod pause;
mod read_files;
mod remove;
mod resume;
mod saved;
mod screen;
mod service;
mod status;
mod sync;
mod train;
mod why_not;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cli::Global;
use crate::config::Config;
use crate::error::AppError;
use crate::runtime::wait_for;

/// Search your folders by thinking first: a small local model thinks about the question, and
/// the thought helps to find the passages. Without a command, the full-screen view opens.
#[derive(Debug, Parser)]
#[command(name = "fore", version, disable_version_flag = true, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Print the version.
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    /// With --version: the commit, the protocol and the devices too.
    #[arg(short = 'v', long, requires = "version")]
    pub(crate) verbose: bool,
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
    Marks(marks::Args),
    Saved(saved::Args),
    Train(Box<train::Args>),
    Config(config::Args),
    Doctor(doctor::Args),
    #[command(subcommand)]
    Service(service::Command),
    Mcp(mcp::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
    /// The process that a daemon reads files in.
    #[command(name = READ_FILES, hide = true)]
    ReadFiles,
    /// The process that the full-screen view has a page drawn in.
    #[command(name = DRAW_PAGE, hide = true)]
    DrawPage(draw_page::Args),
}

/// Name of the command that a daemon gives to itself.
pub(crate) const READ_FILES: &str = "read-files";

/// Name of the command that the full-screen view gives to itself.
pub(crate) const DRAW_PAGE: &str = "draw-page";

pub(crate) use draw_page::run as draw_page;
pub(crate) use read_files::run as read_files;

/// Runs the command to its end; without one, the full-screen view. A settings file that is `wrong` is an
/// error, but for those who are to tell of it, or to put it right.
pub(crate) fn run(
    command: Option<Command>,
    config: Config,
    wrong: Option<AppError>,
) -> Result<ExitCode, AppError> {
    let wrong = match (wrong, &command) {
        (Some(error), Some(Command::Doctor(_))) => Some(error),
        (Some(_), Some(Command::Config(_) | Command::Completions(_) | Command::Man(_)))
        | (None, _) => None,
        (Some(error), _) => return Err(error),
    };
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
        Some(Command::Marks(args)) => wait_for(marks::run(&args, &config)),
        Some(Command::Saved(args)) => saved::run(&args, &config),
        Some(Command::Train(args)) => train::run(&args, config),
        Some(Command::Config(args)) => config::run(&args, &config),
        Some(Command::Doctor(args)) => wait_for(doctor::run(&args, &config, wrong)),
        Some(Command::Service(command)) => service::run(command, &config),
        Some(Command::Mcp(_)) => wait_for(mcp::run(config)),
        Some(Command::Completions(args)) => completions::run(&args, &Args::command()),
        Some(Command::Man(args)) => completions::man(&args, Args::command()),
        Some(Command::ReadFiles) => read_files(),
        Some(Command::DrawPage(args)) => draw_page(args),
    }
}
