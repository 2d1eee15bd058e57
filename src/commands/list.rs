//! `fore list`.

use std::process::ExitCode;

use daemon_protocol::Request;
use tui_answer::status::folder_line;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams::{self, Stdout};

/// Show the watched folders.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    json: bool,
}

/// Prints the watched folders.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let mut conversation = launch::connect(config).await?;
    let folders = conversation.folders(|id| Request::List { id }).await?;
    if folders.is_empty() && !config.quiet {
        streams::diagnostic("no folder is watched; add one with: fore add DIR");
    }
    let text = match args.json {
        true => format!("{}\n", serde_json::json!(folders)),
        false => folders.iter().map(|folder| format!("{}\n", folder_line(folder))).collect(),
    };
    Stdout::lock().print(&text)?;
    Ok(ExitCode::SUCCESS)
}
