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
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// A question that it should answer: where it drops out is told too.
    #[arg(value_name = "QUESTION")]
    question: Vec<String>,
}

pub(crate) async fn run(args: &Args, config: &Config) -> Result<ExitCode, AppError> {
    let mut conversation = launch::connect(config).await?;
    let path = text(&config.working_dir.join(&args.path))?;
    let question = Some(args.question.join(" ")).filter(|question| !question.trim().is_empty());
    let asked = {
        let path = path.clone();
        conversation.send(|id| Request::WhyNot { id, path, question }).await?
    };
    let reason = loop {
        match conversation.next().await? {
            Event::Why { id, reason } if id == asked => break reason,
            Event::Failed { id, error } if id == asked => return Err(error.into()),
            _ => {}
        }
    };
    // A line for each stage of a question.
    let reason = harmless(&reason).replace('\n', "\n    ");
    Stdout::lock().print(&format!("{}: {reason}\n", harmless(&path)))?;
    Ok(ExitCode::SUCCESS)
}
