//! `fore resume`.

use std::process::ExitCode;

use daemon_protocol::Request;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams;

/// Go on with indexing after `fore pause`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Ends a pause; without one, nothing happens.
pub(crate) async fn run(_: &Args, config: &Config) -> Result<ExitCode, AppError> {
    launch::connect(config).await?.told(|id| Request::Resume { id }).await?;
    streams::note(config.quiet, "indexing goes on; see: fore status");
    Ok(ExitCode::SUCCESS)
}
