//! Which documents a question is asked of: those of a folder or file of that very name, else those
//! that a glob matches. Pure.

mod glob;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use daemon_protocol::Failure;
use unicode_normalization::UnicodeNormalization;

use self::glob::Glob;
use crate::error::invalid;

/// How a path glob counts.
const GLOB_HINT: &str = "a glob counts from a watched folder, or from the root: '*.md', 'drafts/**', \
     '/home/me/notes/2024*/*.txt'";

/// The documents that [`matching`] finds; an error if it finds none of some.
pub(super) fn named<'a>(
    pattern: &str,
    roots: &[PathBuf],
    known: impl Iterator<Item = &'a String> + Clone,
) -> Result<Vec<String>, Failure> {
    let matching = matching(pattern, roots, known.clone())?;
    if matching.is_empty() && known.clone().next().is_some() {
        return Err(invalid(format!("no indexed file matches {pattern:?}"), GLOB_HINT));
    }
    Ok(matching)
}

/// The `known` documents that `pattern` names, which are below `roots`; an error if it is no pattern.
///
/// A folder may be called `Project [draft]` or `a{b,c}`: what is called as the pattern is written is what
/// is meant, before it is read as a glob.
///
/// # Errors
/// [`Failure`] of kind `invalid` if it is no pattern.
pub fn matching<'a>(
    pattern: &str,
    roots: &[PathBuf],
    known: impl Iterator<Item = &'a String> + Clone,
) -> Result<Vec<String>, Failure> {
    let name = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
    if name.is_empty() {
        return Err(invalid("the path glob is empty", GLOB_HINT));
    }
    let below = |path: &'a str| {
        roots.iter().filter_map(move |root| Path::new(path).strip_prefix(root).ok()?.to_str())
    };
    let chosen = |is_meant: &dyn Fn(&str) -> bool| -> Vec<String> {
        let is_meant = |path: &&'a String| is_meant(path) || below(path).any(is_meant);
        known.clone().filter(is_meant).cloned().collect()
    };
    let name = composed(name);
    let called = chosen(&|path| is_called(&composed(path), &name));
    if !called.is_empty() {
        return Ok(called);
    }
    let glob = Glob::new(&name)
        .map_err(|why| invalid(format!("not a path glob: {pattern:?}: {why}"), GLOB_HINT))?;
    Ok(chosen(&|path| glob.matches(&composed(path))))
}

/// macOS decomposes letters with accents, keyboards compose them: it is the same name.
fn composed(path: &str) -> Cow<'_, str> {
    if path.is_ascii() { Cow::Borrowed(path) } else { Cow::Owned(path.nfc().collect()) }
}

/// Whether `path` is `name` or lies below it; a name without folders may be anywhere in the path.
fn is_called(path: &str, name: &str) -> bool {
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || (!name.contains('/') && path.split('/').any(|part| part == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_so_is_meant_before_any_glob() {
        let known: Vec<String> = [
            "/n/Project [draft]/in.md",
            "/n/Project d/in.md",
            "/n/a{b,c}/in.md",
            "/n/back\\slash/in.md",
            "/n/20*/in.md",
            "/n/2024/in.md",
            "/n/deep/What?/in.md",
            "/n/Cafe\u{301}/in.md",
            "/m/top.md",
        ]
        .map(str::to_owned)
        .to_vec();
        let roots = [PathBuf::from("/n"), PathBuf::from("/m")];
        let cases: [(&str, &[usize]); 17] = [
            ("Project [draft]", &[0]),
            ("./Project [draft]/", &[0]),
            ("/n/Project [draft]", &[0]),
            ("Project \\[draft\\]/**", &[0]),
            ("Project [d]", &[1]),
            ("a{b,c}", &[2]),
            ("back\\slash", &[3]),
            ("/n/back\\slash/", &[3]),
            ("20*", &[4]),
            ("20?4", &[5]),
            ("What?", &[6]),
            ("deep/What?", &[6]),
            ("Caf\u{e9}", &[7]),
            ("Caf?", &[7]),
            ("C[\u{e0}-\u{ff}a]f\u{e9}*", &[7]),
            ("top.md", &[8]),
            ("/m", &[8]),
        ];
        for (pattern, expected) in cases {
            let found = named(pattern, &roots, known.iter()).unwrap();
            let expected: Vec<&String> = expected.iter().map(|place| &known[*place]).collect();
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{pattern}");
        }
        for (pattern, expected) in
            [("", "is empty"), ("./", "is empty"), ("[", "not a path glob"), ("Proj", "matches")]
        {
            let error = named(pattern, &roots, known.iter()).unwrap_err();
            assert!(error.message.contains(expected), "{pattern}: {error}");
        }
    }
}
