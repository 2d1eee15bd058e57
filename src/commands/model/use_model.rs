//! `fore model use`.

use std::path::{Path, PathBuf};

use models_candle::gguf;
use models_candle::published::is_published;
use models_train::files;

use crate::config::Config;
use crate::error::AppError;
use crate::in_use::choose;
use crate::term::streams;

/// The argument that goes back to the pulled model.
const DEFAULT: &str = "default";

/// Use this GGUF file (llama, qwen2 or qwen3 architecture) from now on.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file, the name of a run of `fore train`, or `default`.
    path: PathBuf,
}

pub(crate) fn run(args: &Args, config: &Config) -> Result<(), AppError> {
    let path = args.path.as_path();
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
    if is_published(&file.content) {
        streams::note(
            config.quiet,
            "it embeds as it was published; the default model thinks beside it",
        );
    } else if !file.content.tensor_infos.contains_key(gguf::HEAD_WEIGHT) {
        streams::note(
            config.quiet,
            "it has no embedding head: its vectors will rank poorly, words still well",
        );
    }
    choose(&path, config)
}
