//! `fore train`: the world that a run is given, and what becomes of the model that comes out. What a
//! run does is `models-train`'s, its flags too.

mod service;
mod watcher;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use models_train::Complete;
use models_train::knobs::Knobs;
use models_train::world::{Stop, World};

use crate::backend::choice;
use crate::config::Config;
use crate::error::{AppError, INTERRUPTED, NOTHING};
use crate::launch::VERSION;
use crate::private;
use crate::term::streams;
use crate::{in_use, runtime};
use service::Parts;
use watcher::Console;

/// Fine-tune the model on your own folders, and use the result if it is better.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    knobs: Knobs,
}

/// Runs all stages that are not done yet. The status is success if the new model was shown to be
/// better, and so is used unless `--no-promote` or a person says otherwise; else 1.
///
/// # Errors
/// If the input cannot be read, a model is missing, or a stage fails.
pub(crate) fn run(args: &Args, config: Config) -> Result<ExitCode, AppError> {
    keep_memory();
    private::keep(&config)?;
    let config = Arc::new(config);
    let world = World {
        service: Box::new(Parts::new(Arc::clone(&config))),
        watcher: Box::new(Console::new(config.quiet, config.paths.training.clone())),
        stop: stop_on_signals()?,
        working_dir: config.working_dir.clone(),
        runs: config.paths.runs.clone(),
        teacher: config.teacher_dir(),
        device: choice(config.device),
        sampling: config.sampling.clone(),
        grounded: config.grounded,
        version: VERSION,
    };
    let complete = models_train::run(&args.knobs, world)?;
    conclude(&complete, &args.knobs, &config)
}

/// Starts the program anew, as the same process, with an allocator that keeps what is freed. A step
/// frees and asks for the same large blocks; after a second the allocator would return them to the
/// system, which clears each page again: a seventh of a step's time. (Settable in no other way
/// without unsafe code.) If it cannot be started, this one goes on, only slower.
fn keep_memory() {
    /// mimalloc's setting, in milliseconds; -1 is never.
    const DELAY: &str = "MIMALLOC_PURGE_DELAY";
    if std::env::var_os(DELAY).is_none()
        && let Ok(program) = std::env::current_exe()
    {
        let mut again = Command::new(program);
        let error = again.args(std::env::args_os().skip(1)).env(DELAY, "-1").exec();
        tracing::debug!("starting anew: {error}");
    }
}

/// Set by Ctrl-C or SIGTERM. A second Ctrl-C ends the process as it always did.
fn stop_on_signals() -> Result<Stop, AppError> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Stop::default();
    let asked = stop.clone();
    let runtime = runtime::of_one_thread()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            asked.ask();
            streams::diagnostic("stopping; once more to stop at once");
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::exit(i32::from(INTERRUPTED));
        });
    });
    Ok(stop)
}

/// Tells the verdict, and has the new model used if it deserves it.
fn conclude(run: &Complete, knobs: &Knobs, config: &Config) -> Result<ExitCode, AppError> {
    streams::line(run.report())?;
    if let Some(objection) = run.objection() {
        let model = run.model();
        let model = model.display();
        streams::diagnostic(&format!("not promoted: {objection}; the model is kept in {model}"));
        return Ok(ExitCode::from(NOTHING));
    }
    if knobs.judging.no_promote {
        streams::diagnostic(&format!("to use it: fore model use {}", run.name()));
        return Ok(ExitCode::SUCCESS);
    }
    if run.was_promoted() {
        streams::diagnostic(&format!(
            "it was promoted; to use it again: fore model use {}",
            run.name()
        ));
        return Ok(ExitCode::SUCCESS);
    }
    in_use::choose(&run.model(), config)?;
    run.note_promotion()?;
    streams::diagnostic("to go back to the model before: fore model rollback");
    Ok(ExitCode::SUCCESS)
}
