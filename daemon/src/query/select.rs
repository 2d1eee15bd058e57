//! Which documents a question is asked of: those that `--path` and its filters leave. Pure.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use daemon_protocol::Failure;

use super::filter::{Asked, Condition, ends_in};
use super::scope;
use crate::error::invalid;
use crate::limits::{NEARLY_ALL_LEAVES, RUNS_DOCUMENTS_MIN, RUNS_MAX};
use crate::phrase::plain;
use crate::store::{Known, Scope};

const HINT: &str = "ask without the filter, or for its words: with a space behind the colon";

/// The documents a question is asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) scope: Scope,
    /// All others, where these are nearly all: it is then quicker to search everything.
    pub(super) left_out: HashSet<String>,
}

/// The `known` documents that the glob of `--path` and all `conditions` leave; an error if they leave none
/// of some.
pub(super) fn select(
    glob: Option<&str>,
    conditions: &[Condition],
    roots: &[PathBuf],
    known: &BTreeMap<String, Known>,
) -> Result<Selection, Failure> {
    if glob.is_none() && conditions.is_empty() {
        return Ok(Selection { scope: Scope::All, left_out: HashSet::new() });
    }
    let mut kept: Vec<&String> = known.keys().collect();
    if let Some(glob) = glob {
        let named: HashSet<String> = scope::named(glob, roots, known.keys())?.into_iter().collect();
        kept.retain(|path| named.contains(*path));
    }
    let tests =
        conditions.iter().map(|one| Test::new(one, roots, known)).collect::<Result<Vec<_>, _>>()?;
    let groups = groups(&tests);
    let holds = |group: &[&Test<'_>], path: &String| {
        known.get(path).is_some_and(|known| group.iter().any(|test| test.holds(path, known)))
    };
    let before = kept.len();
    kept.retain(|path| groups.iter().all(|group| holds(group, path)));
    if kept.is_empty() && before > 0 {
        let alone = |group: &&Vec<&Test<'_>>| !known.keys().any(|path| holds(group, path));
        let of = |tests: &[&Test<'_>]| -> Vec<String> {
            tests.iter().map(|test| test.condition.written.clone()).collect()
        };
        let at_fault = groups.iter().find(alone).map_or_else(
            || of(&tests.iter().collect::<Vec<_>>()).join(" "),
            |group| of(group).join(" "),
        );
        let within = glob.map(|glob| format!(" within {glob:?}")).unwrap_or_default();
        return Err(invalid(format!("no indexed file matches {at_fault}{within}"), HINT));
    }
    Ok(selection(&kept, known))
}

fn selection(kept: &[&String], known: &BTreeMap<String, Known>) -> Selection {
    if kept.len() == known.len() {
        return Selection { scope: Scope::All, left_out: HashSet::new() };
    }
    let passages = |path: &String| known.get(path).map_or(0, |known| known.passages);
    let all: usize = known.values().map(|known| known.passages).sum();
    let left: usize = all - kept.iter().map(|path| passages(path)).sum::<usize>();
    let mut left_out = HashSet::new();
    if left * NEARLY_ALL_LEAVES <= all {
        let kept: HashSet<&String> = kept.iter().copied().collect();
        left_out = known.keys().filter(|path| !kept.contains(path)).cloned().collect();
    }
    Selection { scope: narrowed(kept, known), left_out }
}

/// Exactly the documents of `kept`, of which there is one at least, in the order of `known`.
fn narrowed(kept: &[&String], known: &BTreeMap<String, Known>) -> Scope {
    if kept.len() >= RUNS_DOCUMENTS_MIN
        && let Some(runs) = runs(kept, known)
    {
        return Scope::Runs(runs);
    }
    Scope::Paths(kept.iter().map(|path| (*path).clone()).collect())
}

/// From where to where `kept` has all that is known; None if that is more than [`RUNS_MAX`].
fn runs(kept: &[&String], known: &BTreeMap<String, Known>) -> Option<Vec<RangeInclusive<String>>> {
    let mut runs: Vec<(&String, &String)> = Vec::new();
    let mut kept = kept.iter().copied().peekable();
    let mut is_open = false;
    for path in known.keys() {
        if kept.next_if(|next| *next == path).is_none() {
            is_open = false;
        } else if let Some(run) = runs.last_mut().filter(|_| is_open) {
            run.1 = path;
        } else if runs.len() == RUNS_MAX {
            return None;
        } else {
            runs.push((path, path));
            is_open = true;
        }
    }
    Some(runs.into_iter().map(|(first, last)| first.clone()..=last.clone()).collect())
}

/// A condition, with the documents it names by their paths.
struct Test<'a> {
    condition: &'a Condition,
    named: HashSet<String>,
}

impl Test<'_> {
    fn new<'a>(
        condition: &'a Condition,
        roots: &[PathBuf],
        known: &BTreeMap<String, Known>,
    ) -> Result<Test<'a>, Failure> {
        let named = match &condition.asked {
            Asked::Path(pattern) => scope::matching(pattern, roots, known.keys())?,
            _ => Vec::new(),
        };
        Ok(Test { condition, named: named.into_iter().collect() })
    }

    fn holds(&self, path: &str, known: &Known) -> bool {
        let Condition { excluded, asked, .. } = self.condition;
        let holds = match asked {
            Asked::Path(_) => self.named.contains(path),
            Asked::Type(endings) | Asked::Language(endings) => ends_in(path, endings),
            Asked::Tag(tag) => known.tags.iter().any(|held| is_tagged(held, tag)),
            Asked::After(from) => known.stamp.written_ns >= *from,
            Asked::Before(until) => known.stamp.written_ns < *until,
        };
        holds != *excluded
    }
}

/// Whether a document tagged `held` is tagged `tag`: so, or with one below it.
fn is_tagged(held: &str, tag: &str) -> bool {
    let held = plain(held);
    held.strip_prefix(tag).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The tests of which one of each group must hold: all that name what a document has one of are together.
fn groups<'t, 'a>(tests: &'t [Test<'a>]) -> Vec<Vec<&'t Test<'a>>> {
    let kind = |test: &Test<'_>| match test.condition.asked {
        _ if test.condition.excluded => None,
        Asked::Path(_) => Some(0),
        Asked::Type(_) => Some(1),
        Asked::Language(_) => Some(2),
        Asked::Tag(_) | Asked::After(_) | Asked::Before(_) => None,
    };
    let mut groups: Vec<Vec<&Test<'_>>> = Vec::new();
    for test in tests {
        let same =
            |group: &&mut Vec<&Test<'_>>| kind(test).is_some() && kind(group[0]) == kind(test);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(test),
            None => groups.push(vec![test]),
        }
    }
    groups
}

#[cfg(test)]
mod tests;
