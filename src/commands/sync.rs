//! `fore sync`.

use std::process::ExitCode;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::watched::wait;

/// Look at every watched file again and wait until the index is up to date.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read each file, even if its size and time say that it is as it was.
    #[arg(long)]
    full: bool,
}

/// Looks at everything again and waits until the index is up to date.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    wait(&mut launch::connect(config).await?, args.full, config).await
}
