//! What a filter that is being typed is likely to become. Pure.
//!
//! The daemon reads filters; this only knows how they begin, and takes what can stand in them from what the screen
//! knows already.

use std::collections::BTreeSet;
use std::path::Path;

use crate::model::Model;

/// How filters begin. See `daemon/src/query/filter.rs`.
const FILTERS: [&str; 6] = ["type:", "path:", "lang:", "tag:", "after:", "before:"];
/// Letters from which on a word may be the beginning of one: most words begin with a `t`.
const LETTERS_MIN: usize = 2;
/// Kinds that files have whatever is indexed, as people name them.
const KINDS: [&str; 9] =
    ["pdf", "code", "markdown", "doc", "slides", "sheet", "mail", "notebook", "book"];
const LANGUAGES: [&str; 10] =
    ["rust", "python", "typescript", "javascript", "java", "go", "c", "cpp", "ruby", "shell"];
const TIMES: [&str; 6] = ["7d", "2w", "3m", "1y", "today", "yesterday"];

/// What is missing at the end of the line, if the cursor is there and one thing only, or a first of several, is.
pub(crate) fn offer(model: &Model) -> Option<String> {
    if model.editing.is_some() || !model.query.at_end() {
        return None;
    }
    let word = model.query.text().rsplit(char::is_whitespace).next()?;
    let word = word.strip_prefix('-').unwrap_or(word);
    match word.split_once(':') {
        None if word.len() < LETTERS_MIN => None,
        None => rest(FILTERS, word),
        Some((filter, value)) => match filter {
            "type" => rest(kinds(model).iter().map(String::as_str), value),
            "lang" => rest(LANGUAGES, value),
            "after" | "before" => rest(TIMES, value),
            "path" => rest(folders(model).iter().map(String::as_str), value),
            _ => None,
        },
    }
}

/// What is behind `begun` in the first of `all` that begins so.
fn rest<'a>(all: impl IntoIterator<Item = &'a str>, begun: &str) -> Option<String> {
    let rest = all.into_iter().find_map(|one| one.strip_prefix(begun));
    rest.filter(|rest| !rest.is_empty()).map(str::to_owned)
}

/// Endings of names in the index, the most frequent first, and what kinds are called.
fn kinds(model: &Model) -> Vec<String> {
    let counted = model.daemon.as_ref().map(|daemon| &daemon.kinds);
    let mut counted: Vec<(&String, &usize)> = counted.into_iter().flatten().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let endings = counted.into_iter().map(|(kind, _)| kind.clone());
    let is_name = |kind: &String| kind.chars().all(char::is_alphanumeric) && !kind.is_empty();
    endings.filter(is_name).chain(KINDS.map(str::to_owned)).collect()
}

/// Names of the folders that results are in, and of those that are watched.
fn folders(model: &Model) -> BTreeSet<String> {
    let watched = model.daemon.iter().flat_map(|daemon| &daemon.folders);
    let watched = watched.filter_map(|folder| name(Path::new(&folder.path)));
    let found = model.rows.iter().filter_map(|row| name(Path::new(&row.hit.path).parent()?));
    let is_word = |name: &String| !name.contains(char::is_whitespace);
    watched.chain(found).filter(is_word).map(|name| format!("{name}/")).collect()
}

fn name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}
