//! `fore`: arguments to command. What a command does is below `commands`; what several need is a room
//! of its own beside it.

mod backend;
mod cli;
mod commands;
mod config;
mod conversation;
mod error;
mod in_use;
mod launch;
mod private;
mod runtime;
mod runtime_dir;
mod service_status;
mod term;
mod version;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::commands::{Args, Command};
use crate::config::{Config, Surroundings};
use crate::error::AppError;
use crate::term::streams::{self, Stdout};

/// Training and encoding ask for the same large blocks again and again; the C library's allocator
/// gives each back to the system at once, which clears it anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let tell: fn(&AppError) -> String = match wants_json() {
        true => AppError::json,
        false => AppError::to_string,
    };
    run().unwrap_or_else(|error| {
        // Without a message there is nobody left to tell.
        if !error.message.is_empty() {
            streams::diagnostic(&tell(&error));
        }
        ExitCode::from(error.exit)
    })
}

/// Whether a program reads what is printed, errors too. Asked of the words themselves, since a wrong word
/// among them is an error of that kind.
fn wants_json() -> bool {
    let mut words = std::env::args_os().take_while(|word| word != "--");
    words.any(|word| ["--json", "--jsonl", "--envelope"].iter().any(|flag| word == *flag))
}

fn run() -> Result<ExitCode, AppError> {
    let args = match Args::try_parse_from(cli::unflagged(std::env::args_os())) {
        Ok(args) => args,
        Err(error) if error.use_stderr() && wants_json() => return Err(error.into()),
        // Help, a version, or an error for people, in clap's own way.
        Err(error) => error.exit(),
    };
    // Started without any surroundings, to be of no use to a hostile file.
    match args.command {
        Some(Command::ReadFiles) => return commands::read_files(),
        Some(Command::DrawPage(args)) => return commands::draw_page(args),
        _ => {}
    }
    if args.version {
        Stdout::lock().print(&version::text(args.verbose))?;
        return Ok(ExitCode::SUCCESS);
    }
    let outside = Surroundings {
        variable: &|name| std::env::var_os(name),
        user_id: rustix::process::getuid().as_raw(),
        // A directory that was removed under us is no reason to fail: few commands need one.
        working_dir: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    let (config, wrong) = Config::load(&args.global, &outside)?;
    commands::run(args.command, config, wrong)
}
