//! `fore daemon start`.

use std::process::ExitCode;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::runtime_dir::{self, Holder};
use crate::term::streams;

/// Makes sure that a daemon runs, and says on what device.
pub(crate) async fn run(config: &Config) -> Result<ExitCode, AppError> {
    let before = runtime_dir::holder(&config.paths.lock)?;
    let mut conversation = launch::connect(config).await?;
    let pid = conversation.daemon_pid();
    if !config.quiet {
        let already = if before == Holder::Process(Some(pid)) { "already " } else { "" };
        let device = conversation.status().await?.device;
        streams::diagnostic(&format!("the daemon is {already}running (pid {pid}) on {device}"));
    }
    Ok(ExitCode::SUCCESS)
}
