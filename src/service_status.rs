//! What `fore status` and `fore daemon status` tell: whether a daemon runs, on what, how far the index
//! is, and how far a `fore train`.

use std::process::ExitCode;

use daemon_protocol::TrainingStatus;
use tui_answer::status::{idle_lines, idle_value, running_lines, running_value};

use crate::config::Config;
use crate::error::{AppError, NOTHING};
use crate::launch;
use crate::term::streams::Stdout;

/// Prints the status; starts nothing. Exit status 1 if no daemon runs.
pub(crate) async fn print(as_json: bool, config: &Config) -> Result<ExitCode, AppError> {
    let status = match launch::running(config).await? {
        Some(mut conversation) => Some(conversation.status().await?),
        None => None,
    };
    let text = match (as_json, &status) {
        (true, Some(status)) => format!("{}\n", running_value(status)),
        (false, Some(status)) => running_lines(status),
        // A run needs no daemon: where none runs, what it tells is read here.
        (true, None) => format!("{}\n", idle_value(training(config).as_ref())),
        (false, None) => idle_lines(training(config).as_ref()),
    };
    Stdout::lock().print(&text)?;
    Ok(if status.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOTHING) })
}

fn training(config: &Config) -> Option<TrainingStatus> {
    daemon_protocol::training::read(&config.paths.training)
}
