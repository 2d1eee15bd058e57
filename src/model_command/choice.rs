//! Which model is used: `fore model use | rollback | export`, and the promotion of a run.

use std::fs;
use std::path::{Path, PathBuf};

use models_candle::gguf;

use super::{note, tell_daemon, write_atomically};
use crate::config::{Config, ModelChoice};
use crate::error::{AppError, NOTHING};
use crate::train_command::files;

/// The argument of `fore model use` that goes back to the pulled model.
const DEFAULT: &str = "default";
/// Models that can be gone back to; older ones are chosen by their path.
const BEFORE_MAX: usize = 16;

/// `fore model use PATH`: a file, the name of a run, or `default`.
pub(super) fn use_model(path: &Path, config: &Config) -> Result<(), AppError> {
    let run = config.paths.runs.join(path).join(files::MODEL);
    let here = config.working_dir.join(path);
    let path = if path == Path::new(DEFAULT) {
        config.paths.default_model.clone()
    } else if !here.is_file() && run.is_file() {
        // A folder of this name is no model.
        run
    } else {
        here
    };
    if !path.is_file() {
        let why = format!("{} is no file; the old model stays in use", path.display());
        return Err(AppError::new(why)
            .hint("see what there is: fore model list")
            .hint("make the default model: fore model pull"));
    }
    let path = path.canonicalize().map_err(|error| AppError::io(path.display(), &error))?;
    let file = gguf::open(&path)?;
    if !file.content.tensor_infos.contains_key(gguf::HEAD_WEIGHT) {
        note(config, "it has no embedding head: its vectors will rank poorly, words still well");
    }
    choose(&path, config)
}

/// Has the model at `path` used from now on, and remembers the one before.
pub(crate) fn choose(path: &Path, config: &Config) -> Result<(), AppError> {
    let ModelChoice { path: old, mut before } = config.model_choice()?;
    if old != path {
        before.push(old);
        before.drain(..before.len().saturating_sub(BEFORE_MAX));
    }
    save(ModelChoice { path: path.to_owned(), before }, config)
}

/// `fore model rollback`.
pub(super) fn rollback(config: &Config) -> Result<(), AppError> {
    let ModelChoice { path, mut before } = config.model_choice()?;
    let usable = |path: &PathBuf| path.is_file();
    while let Some(older) = before.pop() {
        if usable(&older) {
            return save(ModelChoice { path: older, before }, config);
        }
        note(config, &format!("{} is not there any more", older.display()));
    }
    Err(AppError::new(format!("no other model was used before {}", path.display()))
        .hint("choose one: fore model list, fore model use PATH")
        .exiting(NOTHING))
}

fn save(choice: ModelChoice, config: &Config) -> Result<(), AppError> {
    let json = serde_json::to_vec(&choice)
        .map_err(|error| AppError::new(format!("{}: {error}", choice.path.display())))?;
    write_atomically(&config.paths.model_choice, &json)?;
    let name = match gguf::open(&choice.path) {
        Ok(file) => format!("{} ({})", file.meta.name, choice.path.display()),
        Err(_) => choice.path.display().to_string(),
    };
    note(config, &format!("{name} is used from now on"));
    tell_daemon(config)
}

/// `fore model export FILE`: the model in use or that of a run, whole or as its adapter.
pub(super) fn export(file: &Path, run: Option<&str>, config: &Config) -> Result<(), AppError> {
    let adapter = file.extension().is_some_and(|extension| extension == "safetensors");
    let source = match run {
        Some(run) => config.paths.runs.join(run).join(files::MODEL),
        None => config.model_file()?,
    };
    let source = if adapter { source.with_file_name(files::ADAPTER) } else { source };
    if !source.is_file() {
        let what = if adapter { "adapter" } else { "model" };
        return Err(AppError::new(format!("there is no {what} {}", source.display()))
            .hint("see what there is: fore model list"));
    }
    let out = config.working_dir.join(file);
    if out.exists() {
        return Err(AppError::new(format!("{} is there already", out.display()))
            .hint("remove it, or choose another name"));
    }
    let folder = out.parent().unwrap_or(Path::new("/"));
    let failed =
        |error: std::io::Error| AppError::io(format_args!("writing {}", out.display()), &error);
    let unfinished = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    fs::copy(&source, unfinished.path()).map_err(failed)?;
    unfinished.as_file().sync_all().map_err(failed)?;
    unfinished.persist_noclobber(&out).map_err(|error| failed(error.error))?;
    note(config, &format!("{} is a copy of {}", out.display(), source.display()));
    Ok(())
}
