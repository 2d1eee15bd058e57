//! `fore model rollback`.

use std::path::PathBuf;

use crate::config::{Config, ModelChoice};
use crate::error::{AppError, NOTHING};
use crate::in_use::save;
use crate::term::streams;

/// Go back to the model that was used before.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, config: &Config) -> Result<(), AppError> {
    let ModelChoice { path, mut before } = config.model_choice()?;
    let usable = |path: &PathBuf| path.is_file();
    while let Some(older) = before.pop() {
        if usable(&older) {
            return save(ModelChoice { path: older, before }, config);
        }
        streams::note(config.quiet, &format!("{} is not there any more", older.display()));
    }
    Err(AppError::new(format!("no other model was used before {}", path.display()))
        .hint("choose one: fore model list, fore model use PATH")
        .exiting(NOTHING))
}
