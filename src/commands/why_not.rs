//! `fore why-not`.

use std::path::PathBuf;
use std::process::ExitCode;

use daemon_protocol::{Event, Request};
use tui_text::harmless;

use crate::config::Config;
use crate::error::AppError;
use crate::launch;
use crate::term::streams::Stdout;
use crate::watched::text;

/// Say why a file is not found: which rule leaves it out, or what became of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(required = true)]
    path: Vec<PathBuf>,
}

pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let mut conversation = launch::connect(config).await?;
    for path in &args.path {
        let path = text(&config.working_dir.join(path))?;
        let asked = {
            let path = path.clone();
            conversation.send(|id| Request::WhyNot { id, path }).await?
        };
        let reason = loop {
            match conversation.next().await? {
                Event::Why { id, reason } if id == asked => break reason,
                Event::Failed { id, error } if id == asked => return Err(error.into()),
                _ => {}
            }
        };
        Stdout::lock().print(&format!("{}: {}\n", harmless(&path), harmless(&reason)))?;
    }
    Ok(ExitCode::SUCCESS)
}
