//! `fore completions` and `fore man`: what shells and `man` know of the command line, made of it.

use std::process::ExitCode;

use clap::Command;
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use tui::KeyRow;

use crate::error::AppError;
use crate::term::streams::Stdout;

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints them, for the command line `fore`.
pub(crate) fn run(args: &Args, fore: &Command) -> Result<ExitCode, AppError> {
    let mut script = Vec::new();
    generate(args.shell, &mut shown(fore), "fore", &mut script);
    Stdout::lock().print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// The command line without what is hidden, which completions would offer all the same.
fn shown(fore: &Command) -> Command {
    let below = fore.get_subcommands().filter(|below| !below.is_hide_set()).cloned();
    let shown = Command::new("fore").disable_version_flag(true);
    shown.args(fore.get_arguments().cloned()).subcommands(below)
}

/// Print the manual page of fore, or of one of its commands.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The command, such as `ask` or `daemon run`.
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints it, in the language of `man`.
pub(crate) fn man(args: &ManArgs, mut fore: Command) -> Result<ExitCode, AppError> {
    // Flags of all commands, and full names, are known after this.
    fore.build();
    let mut page = fore;
    for name in &args.command {
        let below = page.find_subcommand(name).filter(|found| !found.is_hide_set()).cloned();
        page = below.ok_or_else(|| {
            AppError::new(format!("there is no command {name:?}")).hint("see them all: fore --help")
        })?;
    }
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(|error| AppError::io("making the page", &error))?;
    if args.command.is_empty() {
        keys().to_writer(&mut text).map_err(|error| AppError::io("making the page", &error))?;
    }
    Stdout::lock().print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// The keys of the full-screen view.
fn keys() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["KEYS"]).text([roman(
        "Of the full-screen view; in brackets those of the list, with the setting keymap = \"vi\".",
    )]);
    for KeyRow { keys, list, does, .. } in tui::default_keys() {
        let list = if list.is_empty() { list } else { format!(" [{list}]") };
        section.control("TP", []).text([bold(keys), roman(list)]).text([roman(does)]);
    }
    section
}
