//! What is made of people's own texts (index, log, runs, caches) is for nobody else to read.

use models::files;
use rustix::fs::Mode;

use crate::config::Config;
use crate::error::AppError;

/// Makes our folders, closes them to others with all that earlier versions left open in them, and has
/// this process make files that only their owner can read. Not for a command that starts a person's
/// editor, or copies out what they ask for.
pub(crate) fn keep(config: &Config) -> Result<(), AppError> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    folders(config)
}

/// [`keep`] for a command that makes next to nothing there.
pub(crate) fn folders(config: &Config) -> Result<(), AppError> {
    for folder in &config.paths.private {
        files::close(folder).map_err(|error| {
            AppError::io(format_args!("closing {} to others", folder.display()), &error)
        })?;
    }
    Ok(())
}
