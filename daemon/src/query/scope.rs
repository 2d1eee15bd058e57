//! Which documents a question is asked of: those of a folder or file of that very name, else those
//! that a glob matches. Pure.

use std::path::{Path, PathBuf};

use daemon_protocol::Failure;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use unicode_normalization::UnicodeNormalization;

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
pub(super) fn matching<'a>(
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
    let composed: String = name.nfc().collect();
    let called = chosen(&|path| is_called(path, &composed));
    if !called.is_empty() {
        return Ok(called);
    }
    let globs = globs(name).map_err(|error| {
        invalid(format!("not a path glob: {pattern:?}: {}", error.kind()), GLOB_HINT)
    })?;
    Ok(chosen(&|path| globs.is_match(path)))
}

/// Whether `path` is `name` or lies below it; a name without folders may be anywhere in the path. macOS
/// decomposes letters with accents, keyboards compose them: it is the same name.
fn is_called(path: &str, name: &str) -> bool {
    let path: String = path.nfc().collect();
    let rest = path.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || (!name.contains('/') && path.split('/').any(|part| part == name))
}

/// The glob as given, as a folder's name, and at any depth if it names no folder itself.
fn globs(glob: &str) -> Result<GlobSet, globset::Error> {
    let mut shapes = vec![glob.to_owned(), format!("{glob}/**")];
    if !glob.contains('/') {
        shapes.extend([format!("**/{glob}"), format!("**/{glob}/**")]);
    }
    let mut set = GlobSetBuilder::new();
    for shape in shapes {
        set.add(GlobBuilder::new(&shape).literal_separator(true).build()?);
    }
    set.build()
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
        let cases: [(&str, &[usize]); 15] = [
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
