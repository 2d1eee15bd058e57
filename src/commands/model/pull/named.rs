//! `fore model pull NAME`: an open model from a hub, and a head for it, fitted on the watched folders.

use std::path::{Path, PathBuf};

use daemon::prepare::Tools;
use daemon_eval::corpus;
use daemon_host::health;
use models_candle::fitted::{Fitting, PASSAGES_MIN};
use models_candle::gguf;
use models_candle::published::is_published;
use models_candle::teacher::Teacher;
use models_pull::{Report, open};

use super::{pull_teacher, sources};
use crate::backend;
use crate::config::Config;
use crate::error::AppError;
use crate::term::download::Console;
use crate::term::progress::Progress;

/// Chosen once, so that the same folders give the same head.
const SEED: u64 = 20_250_211;
/// What the file with a head is called: the model's name, then this.
const FITTED: &str = "fitted.gguf";

/// Fetches it, fits a head if there are texts to fit one on, and says how it is used.
pub(super) fn pull(
    name: &str,
    force: bool,
    config: &Config,
    report: &mut Console,
) -> Result<(), AppError> {
    let fetched = open::named(name)?.pull(&config.paths.models, &sources(), report)?;
    let model = with_head(fetched, force, config, report)?;
    report.note(&format!("to use it: fore model use {}", model.display()));
    Ok(())
}

/// The file that embeds best: of one that came without a head the one that was fitted, if there is one.
fn with_head(
    model: PathBuf,
    force: bool,
    config: &Config,
    report: &mut Console,
) -> Result<PathBuf, AppError> {
    let file = gguf::open(&model)?;
    if is_published(&file.content) || file.content.tensor_infos.contains_key(gguf::HEAD_WEIGHT) {
        return Ok(model);
    }
    let out = model.with_extension(FITTED);
    if out.exists() && !force {
        report.note(&format!("{} is there already; --force fits it anew", out.display()));
        return Ok(out);
    }
    let passages = passages(&file, config, report)?;
    if passages.len() < PASSAGES_MIN {
        report.note(&format!(
            "it has no embedding head, and the watched folders hold {} passages to fit one on, where {PASSAGES_MIN} are needed: fore add DIR, then the same command again",
            passages.len()
        ));
        return Ok(model);
    }
    drop(file);
    if Teacher::width_of(&config.teacher_dir()).is_err() {
        pull_teacher(config, report)?;
    }
    fit(&model, &out, passages, config, report)?;
    Ok(out)
}

/// What the index would hold of the watched folders, cut for this model.
fn passages(
    file: &gguf::Gguf,
    config: &Config,
    report: &mut Console,
) -> Result<Vec<String>, AppError> {
    let roots: Vec<PathBuf> = health::listed(&config.paths.folders)
        .map_err(|wrong| AppError::new(wrong.what).hint("see: fore doctor"))?;
    let (convert, counter) = (backend::readers(), file.vocabulary.as_ref());
    let tokens_max = file.meta.passage_tokens_max;
    let tools = Tools { tokens_max, counter, convert: &convert, roots: &roots };
    let mut passages = Vec::new();
    for root in &roots {
        report.note(&format!("reading {}", root.display()));
        let found = corpus::read_folder(root, tools);
        passages.extend(found.passages.into_iter().map(|passage| passage.text));
    }
    Ok(passages)
}

fn fit(
    model: &Path,
    out: &Path,
    passages: Vec<String>,
    config: &Config,
    report: &mut Console,
) -> Result<(), AppError> {
    let teacher = Teacher::open(&config.teacher_dir())?;
    let fitting = Fitting::prepare(model, &teacher, passages, SEED)?;
    report.note(&format!(
        "fitting a head on {} passages, which takes about {} here",
        fitting.passages(),
        humantime::format_duration(fitting.estimate()?)
    ));
    let mut bar = Progress::new(config.quiet);
    let fitted = fitting.make(out, &mut |what, done, total| bar.update(what, done, total))?;
    bar.finish();
    report.note(&format!(
        "made {}: of held-out sentences it finds the passage with an MRR@10 of {:.3} (its teacher {:.3})",
        out.display(),
        fitted.mrr,
        fitted.teacher_mrr
    ));
    Ok(())
}
