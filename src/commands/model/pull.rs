//! `fore model pull`: what is downloaded, and the two model files that are made of it.

mod named;

use std::fs;
use std::path::{Path, PathBuf};

use models_candle::shipped;
use models_pull::{BASE, Report, Sources, TEACHER, Turn};
use tui_text::bytes as size;

use crate::config::Config;
use crate::error::AppError;
use crate::in_use::tell_daemon;
use crate::term::download::Console;

/// Below the models' folder: what was downloaded to make a model of, removed once it is made.
const SOURCE_FOLDER: &str = "source";

/// Make the model file in the cache; later runs work offline.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Fetch this model instead: smollm2-360m, smollm2-1.7b, qwen2.5-0.5b, qwen2.5-1.5b, qwen3-0.6b,
    /// qwen3-1.7b, qwen3-embedding-0.6b, or any GGUF of a hub as OWNER/REPO/FILE.gguf.
    #[arg(conflicts_with_all = ["from_file", "teacher"])]
    name: Option<String>,
    /// Make it from this file of the base model; nothing is downloaded.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
    /// Make it again although it is there.
    #[arg(long)]
    force: bool,
    /// Fetch all-MiniLM-L6-v2 too: the peer of `fore eval`, the teacher of `fore model
    /// fit-head`.
    #[arg(long)]
    teacher: bool,
}

pub(crate) fn run(args: &Args, config: &Config) -> Result<(), AppError> {
    let mut report = Console::new(config.quiet);
    let _turn = Turn::take(&config.paths.models)?;
    if let Some(name) = &args.name {
        return named::pull(name, args.force, config, &mut report);
    }
    let made = pull_model(args.from_file.as_deref(), args.force, config, &mut report)?;
    let in_use = config.model_file()?;
    if in_use != config.paths.default_model {
        report.note(&format!(
            "{} stays in use; to use this: fore model use default",
            in_use.display()
        ));
    } else if made {
        tell_daemon(config)?;
    }
    if args.teacher { pull_teacher(config, &mut report) } else { Ok(()) }
}

fn sources() -> Sources {
    Sources::decide(&|name| std::env::var(name).ok())
}

/// Makes the usual model file, base and adapter merged, or finds that there is nothing to do; whether
/// the file is another one now.
fn pull_model(
    from_file: Option<&Path>,
    force: bool,
    config: &Config,
    report: &mut dyn Report,
) -> Result<bool, AppError> {
    let (base, out) = (&config.paths.base_model, &config.paths.default_model);
    pull_base(base, from_file, force, config, report)?;
    if !force && out.exists() {
        match shipped::is_default(out) {
            Ok(true) => {
                report.note(&format!("{} is there already; nothing to do", out.display()));
                return Ok(false);
            }
            Ok(false) => report.note(&format!("{}: renewing it", out.display())),
            Err(error) => report.note(&format!("{error}; making it again")),
        }
    }
    let mut progress = |done: u64, bytes: u64| report.progress("merging the adapter", done, bytes);
    shipped::make_default(base, out, &mut progress)?;
    note_made(out, report);
    Ok(true)
}

/// Makes the base model's file, or brings its head up to date, or finds that there is nothing to do.
fn pull_base(
    out: &Path,
    from_file: Option<&Path>,
    force: bool,
    config: &Config,
    report: &mut dyn Report,
) -> Result<(), AppError> {
    if !force && out.exists() {
        match shipped::is_base(out) {
            Ok(true) => return Ok(()),
            Ok(false) => {
                report.note(&format!("{}: renewing its head", out.display()));
                return make(out, out, report);
            }
            Err(error) => report.note(&format!("{error}; making it again")),
        }
    }
    if let Some(file) = from_file {
        check_source(file)?;
        return make(file, out, report);
    }
    let folder = config.paths.models.join(SOURCE_FOLDER);
    models_pull::fetch(&BASE, &folder, &sources(), report)?;
    make(&folder.join(BASE.parts[0].file), out, report)?;
    fs::remove_dir_all(&folder)
        .map_err(|error| AppError::io(format_args!("removing {}", folder.display()), &error))
}

/// A file that a person brought must be the one that the sources have.
fn check_source(file: &Path) -> Result<(), AppError> {
    models_pull::verify(file, &BASE.parts[0]).map_err(|mismatch| {
        AppError::new(format!("{}: {mismatch}", file.display()))
            .hint(format!("expected is {} of {}", BASE.parts[0].file, BASE.hub_repo))
            .hint(format!("to use another model: fore model use {}", file.display()))
    })
}

fn make(source: &Path, out: &Path, report: &mut dyn Report) -> Result<(), AppError> {
    let mut progress =
        |done: u64, bytes: u64| report.progress("re-quantising to Q8_0", done, bytes);
    shipped::make_base(source, out, &mut progress)?;
    note_made(out, report);
    Ok(())
}

fn note_made(out: &Path, report: &mut dyn Report) {
    let made = fs::metadata(out).map_or(0, |stat| stat.len());
    report.note(&format!("made {} ({})", out.display(), size(made)));
}

fn pull_teacher(config: &Config, report: &mut dyn Report) -> Result<(), AppError> {
    let folder = config.teacher_dir();
    models_pull::fetch(&TEACHER, &folder, &sources(), report)?;
    report.note(&format!("the teacher is in {}", folder.display()));
    Ok(())
}
