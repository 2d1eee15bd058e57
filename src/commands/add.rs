//! `fore add`.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use daemon_protocol::Request;
use tui_answer::status::unwritten;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams;
use crate::watched::{text, wait};

/// Watch a folder and index what is in it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
    /// Return at once and let the daemon index in the background.
    #[arg(long)]
    no_wait: bool,
}

/// Watches a folder and, unless told not to, waits until it is indexed.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let Args { dir, no_wait } = args;
    let found = fs::canonicalize(dir).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => AppError::new(format!("{} does not exist", dir.display())),
        _ => AppError::io(dir.display(), &error),
    })?;
    if !found.is_dir() {
        return Err(AppError::new(format!("{} is not a folder", dir.display()))
            .hint("add the folder it is in"));
    }
    let path = text(&found)?;
    let mut conversation = launch::connect(config).await?;
    conversation.folders(|id| Request::Add { id, path: path.clone() }).await?;
    if *no_wait {
        if !config.quiet {
            streams::diagnostic(&format!("{path} is watched; see its progress with: fore status"));
        }
        if let Some(why) = unwritten(&conversation.status().await?.index) {
            streams::diagnostic(&why);
        }
        return Ok(ExitCode::SUCCESS);
    }
    wait(&mut conversation, false, config).await
}
