//! `fore sync`.

use std::process::ExitCode;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::watched::wait;

/// Look at every watched file again and wait until the index is up to date.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Looks at everything again and waits until the index is up to date.
pub(crate) async fn run(_: &Args, config: &Config) -> Result<ExitCode, AppError> {
    wait(&mut launch::connect(config).await?, config).await
}
