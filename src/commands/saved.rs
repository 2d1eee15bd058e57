//! `fore saved`: questions with their filters that are kept under a name.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::term::streams::{self, Stdout};

/// List the saved searches, which `fore ask --saved NAME` and the full screen ask again, or change them.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Print one JSON array of names and questions.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Save a question, with its filters, in place of what has the name.
    Add {
        #[arg(value_name = "NAME")]
        name: String,
        /// The question; several words need no quotes.
        #[arg(value_name = "QUESTION", required = true, allow_hyphen_values = true)]
        question: Vec<String>,
    },
    /// Take away the searches of these names.
    Remove {
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
}

pub(crate) fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let path = &config.paths.saved;
    match &args.what {
        Some(What::Add { name, question }) => {
            tui_saved::keep(path, name, &question.join(" "))?;
        }
        Some(What::Remove { names }) => {
            for name in names {
                tui_saved::remove(path, name)?;
            }
        }
        None => {
            let all = tui_saved::load(path)?;
            let object = |search: &tui_saved::Search| json!({"name": search.name, "question": search.question});
            Stdout::lock().print(&match args.json {
                true => format!("{}\n", json!(all.iter().map(object).collect::<Vec<_>>())),
                false => tui_saved::list(&all),
            })?;
            if all.is_empty() {
                streams::note(config.quiet, "nothing is saved yet; fore saved add NAME QUESTION");
                return Ok(ExitCode::from(NOTHING));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
