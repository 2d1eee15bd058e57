//! `fore status`.

use std::process::ExitCode;

use crate::config::Config;
use crate::error::AppError;
use crate::service_status;

/// Show the daemon, its model and the index.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    service_status::print(args.json, config).await
}
