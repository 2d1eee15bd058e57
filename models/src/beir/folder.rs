//! A collection from its folder: `corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`.

use std::fs;
use std::path::Path;

use super::{BeirError, Collection, Part, parse};
use crate::UserError;

/// The collection in `folder` with the judgments of `split`; `warn` is told what is odd about it, with
/// file and line ([`parse`]).
///
/// # Errors
/// The first thing that is missing or malformed, with its file and line.
pub fn read(
    folder: &Path,
    split: &str,
    warn: &mut dyn FnMut(&UserError),
) -> Result<Collection, UserError> {
    let qrels = folder.join("qrels").join(format!("{split}.tsv"));
    let (corpus, queries) = (folder.join("corpus.jsonl"), folder.join("queries.jsonl"));
    let texts = (text(&corpus)?, text(&queries)?, judged(&qrels, split)?);
    let placed = |error: &BeirError| {
        let file = match error.part {
            Part::Corpus => &corpus,
            Part::Queries => &queries,
            Part::Judgments => &qrels,
        };
        at_line(file, error)
    };
    parse(&texts.0, &texts.1, &texts.2, &mut |odd| warn(&placed(&odd)))
        .map_err(|error| placed(&error))
}

/// The text of the split's judgments, or which splits there are.
fn judged(file: &Path, split: &str) -> Result<String, UserError> {
    if file.is_file() {
        return text(file);
    }
    let folder = file.parent().unwrap_or(file);
    let entries = fs::read_dir(folder).map_err(|error| UserError::reading(folder, &error))?;
    let mut splits: Vec<String> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "tsv"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    splits.sort();
    let error = UserError::new(format!("{} is not there: no split {split}", file.display()));
    Err(match &splits[..] {
        [] => error.hint("the folder holds no SPLIT.tsv at all"),
        splits => error.hint(format!("choose one that is there, --split: {}", splits.join(", "))),
    })
}

/// The text of a file.
///
/// # Errors
/// If it cannot be read.
pub fn text(file: &Path) -> Result<String, UserError> {
    fs::read_to_string(file).map_err(|error| UserError::reading(file, &error))
}

/// `PATH, line N: what`.
pub fn at_line(file: &Path, error: &BeirError) -> UserError {
    UserError::new(format!("{}, line {}: {}", file.display(), error.line, error.what))
}
