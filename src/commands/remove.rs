//! `fore remove`.

use std::path::{self, PathBuf};
use std::process::ExitCode;

use daemon_protocol::Request;
use tui_text::harmless;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams;
use crate::watched::text;

/// Stop watching a folder and forget its passages.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder.
    dir: PathBuf,
}

/// Stops watching a folder, which need not exist any more.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let Args { dir } = args;
    // The daemon follows links itself; a folder whose drive hangs is not touched here.
    let path = path::absolute(dir).map_err(|error| AppError::io(dir.display(), &error))?;
    let path = text(&path)?;
    let mut conversation = launch::connect(config).await?;
    conversation.folders(|id| Request::Remove { id, path: path.clone() }).await?;
    streams::note(config.quiet, &format!("{} is no longer watched", harmless(&path)));
    Ok(ExitCode::SUCCESS)
}
