//! `fore bench`.

use std::process::ExitCode;
use std::sync::Arc;

use daemon_eval::speed::{self, Amount};

use crate::backend::RealBackend;
use crate::config::Config;
use crate::error::AppError;
use crate::runtime;
use crate::term::progress::Progress;
use crate::term::streams::Stdout;

/// Measure how fast this machine encodes, thinks, searches and finds what was saved.
///
/// On made-up files and with an index of its own, both in a temporary folder: yours are not touched. What else runs
/// counts, a daemon that indexes too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files that are written and indexed.
    #[arg(long, value_name = "N", default_value_t = Amount::default().files)]
    files: usize,
    /// Files that are saved, one after the other, and looked for.
    #[arg(long, value_name = "N", default_value_t = Amount::default().saves)]
    saves: usize,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// Measures, and prints a table or JSON.
pub(crate) fn run(args: &Args, config: Config) -> Result<ExitCode, AppError> {
    let Args { files, saves, json } = *args;
    let folder = tempfile::Builder::new().prefix("fore-bench.").tempdir();
    let folder = folder.map_err(|error| AppError::io("making a temporary folder", &error))?;
    let mut progress = Progress::new(config.quiet);
    let backend = RealBackend::with_index(Arc::new(config), folder.path().join("index"));
    backend.model_file()?;
    let amount = Amount { files, saves, ..Amount::default() };
    let mut tell = |doing: &str, done, total| progress.update(doing, done, total);
    let runtime = runtime::of_many_threads()?;
    let measured =
        runtime.block_on(speed::measure(Arc::new(backend), folder.path(), amount, &mut tell));
    progress.finish();
    let speed = measured?;
    let text = if json { format!("{}\n", speed::value(&speed)) } else { speed::lines(&speed) };
    Stdout::lock().print(&text)?;
    Ok(ExitCode::SUCCESS)
}
