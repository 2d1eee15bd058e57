//! `fore pause`.

use std::process::ExitCode;
use std::time::Duration;

use daemon_protocol::Request;
use tui_text::one_line;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams;

/// Leave new and changed files alone, for a while or until `fore resume`; questions are answered.
///
/// A restart does not end it, and `fore status` says that it is paused.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long, as in 30m, 2h or "1h 30m".
    #[arg(value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
}

/// Pauses indexing.
pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let seconds = args.duration.map(|duration| duration.as_secs().max(1));
    let mut conversation = launch::connect(config).await?;
    let status = conversation.told(|id| Request::Pause { id, seconds }).await?;
    if let Some(waiting) = &status.index.waiting {
        streams::note(
            config.quiet,
            &format!("indexing is {}; see: fore resume", one_line(waiting)),
        );
    }
    Ok(ExitCode::SUCCESS)
}
