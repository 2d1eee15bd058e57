//! Training pairs: JSON lines with the field names of the paper's code (`dataset/final.jsonl`,
//! itself FlagEmbedding's layout) and a few of ours, parsed and written (pure, but for [`files`]).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::UserError;
use crate::jsonl::{numbered, or_nothing, reason};

/// One row. Only `query` and `pos` must be there; what is empty is not written. Scores are
/// finite and in the unit of whoever gave them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Where the row came from, such as a passage's path. Ours.
    #[serde(default, deserialize_with = "name", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Which file or collection it came in; a batch is drawn from one. Ours.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub set: String,
    pub query: String,
    /// Texts that answer it, best first.
    pub pos: Vec<String>,
    /// Texts that seem to and do not.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "Vec::is_empty")]
    pub neg: Vec<String>,
    /// The thought to train on; a row without one is trained thought-free.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "String::is_empty")]
    pub thought: String,
    /// What a first search found for the query: a grounded thought's context. Ours.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// A teacher's scores, one for each of `pos`, or none at all.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "Vec::is_empty")]
    pub pos_scores: Vec<f32>,
    /// The same for `neg`.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "Vec::is_empty")]
    pub neg_scores: Vec<f32>,
    /// The candidates that `thought` was chosen from.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "Vec::is_empty")]
    pub all_thought: Vec<String>,
    /// Which source wrote each of `all_thought`, or nothing. Ours.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// By committee member, its scores of `all_thought`.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "BTreeMap::is_empty")]
    pub model2scores: BTreeMap<String, Vec<f32>>,
    /// By committee member, its score of the query without a thought. Ours.
    #[serde(default, deserialize_with = "or_nothing", skip_serializing_if = "BTreeMap::is_empty")]
    pub none_scores: BTreeMap<String, f32>,
}

/// The file, or the `*.jsonl` of the folder in the order of their names.
///
/// # Errors
/// If the folder cannot be read or holds none.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, UserError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| UserError::reading(path, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(UserError::new(format!("{} holds no *.jsonl", path.display())));
    }
    Ok(files)
}

/// A name that is a text; other data sets number their rows, or have `null`.
fn name<'a, D: Deserializer<'a>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::Null => Ok(String::new()),
        Value::String(name) => Ok(name),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(D::Error::custom("the id is neither text nor number")),
    }
}

/// A text, or nothing: a field of this name in the data of others may be anything.
fn text<'a, D: Deserializer<'a>>(from: D) -> Result<String, D::Error> {
    Ok(Value::deserialize(from)?.as_str().unwrap_or_default().to_owned())
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadRow {
    /// From 1.
    pub line: usize,
    pub reason: String,
}

/// The usable rows of a JSONL text, and the others with their line numbers. Empty texts among the
/// positives and negatives are left out with their scores; fields not known are ignored.
pub fn parse(text: &str) -> (Vec<Pair>, Vec<BadRow>) {
    let (mut pairs, mut bad) = (Vec::new(), Vec::new());
    for (line, text) in numbered(text) {
        let row = serde_json::from_str::<Pair>(text).map_err(|error| reason(&error));
        match row.and_then(usable) {
            Ok(pair) => pairs.push(pair),
            Err(reason) => bad.push(BadRow { line, reason }),
        }
    }
    (pairs, bad)
}

/// `pair` as one line of JSON, without its end. [`parse`] gives a usable pair back as it was.
pub fn line(pair: &Pair) -> String {
    serde_json::to_string(pair).expect("texts, numbers and maps by name are always JSON")
}

fn usable(mut pair: Pair) -> Result<Pair, String> {
    if pair.query.trim().is_empty() {
        return Err("the query is empty".to_owned());
    }
    check("pos_scores", &pair.pos_scores, "pos", pair.pos.len())?;
    check("neg_scores", &pair.neg_scores, "neg", pair.neg.len())?;
    let candidates = pair.all_thought.len();
    for (member, scores) in &pair.model2scores {
        let name = format!("model2scores of {member:?}");
        same_length(&name, scores.len(), "all_thought", candidates)?;
        finite(&name, scores)?;
    }
    for (member, score) in &pair.none_scores {
        finite(&format!("none_scores of {member:?}"), &[*score])?;
    }
    if !pair.sources.is_empty() {
        same_length("sources", pair.sources.len(), "all_thought", candidates)?;
    }
    drop_empty(&mut pair.pos, &mut pair.pos_scores);
    drop_empty(&mut pair.neg, &mut pair.neg_scores);
    if pair.pos.is_empty() {
        return Err("there is no positive text".to_owned());
    }
    Ok(pair)
}

/// Whether teacher scores fit their texts: there are none, or a finite one for each.
fn check(name: &str, scores: &[f32], texts: &str, amount: usize) -> Result<(), String> {
    if scores.is_empty() {
        return Ok(());
    }
    same_length(name, scores.len(), texts, amount)?;
    finite(name, scores)
}

fn same_length(name: &str, length: usize, texts: &str, amount: usize) -> Result<(), String> {
    if length == amount {
        return Ok(());
    }
    Err(format!("{name} has {length} entries, {texts} has {amount}"))
}

fn finite(name: &str, scores: &[f32]) -> Result<(), String> {
    match scores.iter().find(|score| !score.is_finite()) {
        Some(score) => Err(format!("{name} has the score {score}, which is not finite")),
        None => Ok(()),
    }
}

/// Leaves out empty texts, and the scores of these where there are scores.
fn drop_empty(texts: &mut Vec<String>, scores: &mut Vec<f32>) {
    let mut full = texts.iter().map(|text| !text.trim().is_empty());
    scores.retain(|_| full.next().unwrap_or(true));
    texts.retain(|text| !text.trim().is_empty());
}

#[cfg(test)]
mod tests;
