//! `fore config`: the settings file, told and changed.

use std::fs;
use std::io;
use std::process::ExitCode;

use clap::Subcommand;
use daemon_host::settings;
use models::files::write_atomically;

use crate::config::Config;
use crate::error::{AppError, Kind};
use crate::term::streams::{self, Stdout};

/// Show the settings with their defaults, or change one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a setting's value, the file's or else the default.
    Get {
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Change a setting in the file, which keeps its comments.
    Set {
        #[arg(value_name = "KEY")]
        key: String,
        #[arg(value_name = "VALUE", allow_hyphen_values = true)]
        value: String,
    },
    /// Print where the settings file is, or would be.
    Path,
}

pub(crate) fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let file = &config.paths.config;
    let wrong =
        |told: String| AppError::new(told).hint("see them all: fore config").of(Kind::Invalid);
    match &args.what {
        None => Stdout::lock().print(&settings::defaults())?,
        Some(What::Path) => streams::line(&file.display().to_string())?,
        Some(What::Get { key }) => {
            streams::line(&settings::get(&text(config)?, key).map_err(wrong)?)?;
        }
        Some(What::Set { key, value }) => {
            let changed = settings::set(&text(config)?, key, value).map_err(wrong)?;
            write_atomically(file, changed.as_bytes())?;
            let told = format!(
                "{} says so now; a daemon that runs does not: fore daemon stop",
                file.display()
            );
            streams::note(config.quiet, &told);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The file's text; none is an empty one.
fn text(config: &Config) -> Result<String, AppError> {
    let file = &config.paths.config;
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| AppError::reading(file, &error)),
    }
}
