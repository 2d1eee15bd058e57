//! `fore model export`: the model in use or that of a run, whole or as its adapter.

use std::fs;
use std::path::{Path, PathBuf};

use models::UserError;
use models_candle::gguf;
use models_train::files;

use crate::config::Config;
use crate::error::AppError;
use crate::term::streams;

/// Copy a model file, to bring it elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to; `*.safetensors` gets the adapter of a run alone.
    file: PathBuf,
    /// The name of a run; the model in use unless given.
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// As other programs read it, llama.cpp for one: it thinks as here, and has nothing to embed with.
    #[arg(long)]
    plain: bool,
}

pub(crate) fn run(args: &Args, config: &Config) -> Result<(), AppError> {
    let Args { file, run, plain } = args;
    let adapter = file.extension().is_some_and(|extension| extension == "safetensors");
    if adapter && *plain {
        return Err(AppError::new("an adapter is not for other programs")
            .hint("name a GGUF file, or leave out --plain"));
    }
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
    let failed = |error: std::io::Error| UserError::writing(&out, &error);
    let mut unfinished = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    if *plain {
        gguf::plain(&source, unfinished.as_file_mut())?;
    } else {
        fs::copy(&source, unfinished.path()).map_err(failed)?;
    }
    unfinished.as_file().sync_all().map_err(failed)?;
    unfinished.persist_noclobber(&out).map_err(|error| failed(error.error))?;
    let what =
        if *plain { "is for other programs what this one thinks with:" } else { "is a copy of" };
    streams::note(config.quiet, &format!("{} {what} {}", out.display(), source.display()));
    Ok(())
}
