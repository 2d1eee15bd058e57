//! Why a file is not found: by which rule it is left out, or what became of it. Blocks; it looks at the
//! disk as it is now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::Gitignore;
use tokio_util::sync::CancellationToken;

use crate::extract::is_candidate;
use crate::patience::Pulse;
use crate::prepare::{Outcome, Tools, prepare};
use crate::scan::{RULE_FILES, Reach, root_of, walk};
use crate::store::Known;

/// One line about the file `path`, which the index knows as `known`.
pub(crate) fn why(path: &Path, known: Option<&Known>, tools: Tools<'_>, pulse: &Pulse) -> String {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) => return format!("it cannot be looked at: {error}"),
    };
    let Some(root) = root_of(tools.roots, path) else {
        return "no watched folder holds it; add one with: fore add DIR".to_owned();
    };
    if there.is_symlink() {
        return "it is a link; links are not followed, what they lead to can be added".to_owned();
    }
    if there.is_dir() {
        let indexed = || "it is a folder that is indexed; ask about a file in it".to_owned();
        return left_out(root, path, true).unwrap_or_else(indexed);
    }
    if !there.is_file() {
        return "it is no regular file: a pipe, a socket or a device".to_owned();
    }
    let Some(name) = path.to_str() else { return "its name is not UTF-8: rename it".to_owned() };
    // The walk itself decides; what is looked up besides only names the rule.
    let reach = Arc::new(Reach::Paths(BTreeSet::from([path.to_owned()])));
    let scan = walk(&[root.to_owned()], &reach, &CancellationToken::new(), pulse);
    if !scan.files.contains_key(name) {
        let elsewhere =
            || "git's excludes, or a rule above the watched folder, leave it out".to_owned();
        return match left_out(root, path, false) {
            None if !is_candidate(path) => {
                "files of its kind, or of its name, are not read".to_owned()
            }
            rule => rule.unwrap_or_else(elsewhere),
        };
    }
    let path = name;
    let hash = known.map(|known| known.stamp.hash.as_str());
    match (prepare(path, hash, tools, pulse), known) {
        (Outcome::Unchanged(_), Some(Known { passages: 0, .. })) => {
            "it is indexed, and holds no text".to_owned()
        }
        (Outcome::Unchanged(_), Some(Known { passages: 1, .. })) => {
            "it is indexed, as one passage".to_owned()
        }
        (Outcome::Unchanged(_), Some(known)) => {
            format!("it is indexed, as {} passages", known.passages)
        }
        (Outcome::Ready(_), Some(_)) => {
            "it is indexed as it was before its last change, and waits".to_owned()
        }
        (Outcome::Ready(_) | Outcome::Unchanged(_), None) => {
            "it is not indexed yet: it waits; `fore status` says how much does".to_owned()
        }
        (Outcome::Gone, _) => "it is no longer there".to_owned(),
        (Outcome::Refused { reason, .. } | Outcome::Unread { reason }, _) => {
            refused(&reason, known.is_some())
        }
    }
}

/// What is said of a file that the indexer, or whoever reads it now, refuses for `reason`.
pub(crate) fn refused(reason: &str, is_known: bool) -> String {
    let indexed = if is_known { "indexed as it was before" } else { "not indexed" };
    format!("it is {indexed}: {reason}")
}

/// By which rule `path` is left out of the watched folder `root`, if it is by one in it: hidden, or named by an
/// ignore file, it or a folder that it is in.
fn left_out(root: &Path, path: &Path, is_dir: bool) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let hidden = below.iter().find(|part| part.as_encoded_bytes().starts_with(b"."));
    if let Some(part) = hidden {
        return Some(format!("{} is hidden, as its name begins with a dot", part.display()));
    }
    // From the outermost folder in: what is in a folder that is left out is left out, whatever is said of it.
    let mut parts: Vec<&Path> = path.ancestors().take_while(|part| *part != root).collect();
    parts.reverse();
    parts.into_iter().find_map(|part| rule_of(root, part, is_dir || part != path))
}

/// The rule that leaves out just `path`: an `.ignore` file speaks before any `.gitignore`, then the nearest.
fn rule_of(root: &Path, path: &Path, is_dir: bool) -> Option<String> {
    for name in RULE_FILES.iter().rev() {
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
            let file = folder.join(name);
            let (rules, _) = Gitignore::new(&file);
            let matched = rules.matched(path, is_dir);
            if matched.is_whitelist() {
                return None;
            }
            if let Some(glob) = matched.inner().filter(|_| matched.is_ignore()) {
                let (rule, file) = (glob.original(), file.display());
                return Some(format!("the rule `{rule}` in {file} leaves it out"));
            }
        }
    }
    None
}

/// A path as a person may have written it: from where they are, through links of folders.
pub(crate) fn resolved(path: &str) -> PathBuf {
    let path = Path::new(path);
    let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use models::TokenCounter;

    use super::*;
    use crate::convert::Scripted;
    use crate::store::Stamp;

    struct Words;

    impl TokenCounter for Words {
        fn count(&self, text: &str) -> usize {
            text.split_whitespace().count()
        }
    }

    #[test]
    fn each_reason_is_told() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("notes");
        let write = |name: &str, bytes: &[u8]| {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
        };
        write("a.md", b"# A\n\ntext");
        write("b.png", b"x");
        write(".secret/a.md", b"x");
        write("drafts/a.md", b"x");
        write("drafts/kept.md", b"x");
        write("closed/kept.md", b"x");
        write("both/a.md", b"x");
        write("both/.gitignore", b"!a.md\n");
        write(".ignore", b"both/a.md\n");
        write(".gitignore", b"drafts/*\n!drafts/kept.md\nclosed/\n!closed/kept.md\n");
        write("data.txt", b"\0\0\0");
        write("empty.md", b"");
        fs::write(home.path().join("else.md"), "x").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket.md")).unwrap();
        std::os::unix::fs::symlink(root.join("a.md"), root.join("link.md")).unwrap();
        let roots = [root.clone()];
        let tools = Tools { tokens_max: 100, counter: &Words, convert: &Scripted, roots: &roots };
        let known = |bytes: &[u8], passages| Known {
            stamp: Stamp {
                bytes: 0,
                changed_ns: 0,
                hash: crate::edition::hash(bytes),
                written_ns: 0,
            },
            tags: Vec::new(),
            passages,
        };
        let told = |name: &str, known: Option<Known>| {
            why(&root.join(name), known.as_ref(), tools, &Pulse::default())
        };
        let cases = [
            ("a.md", None, "not indexed yet"),
            ("a.md", Some(known(b"# A\n\ntext", 2)), "indexed, as 2 passages"),
            ("a.md", Some(known(b"old", 2)), "before its last change"),
            ("empty.md", Some(known(b"", 0)), "holds no text"),
            ("gone.md", None, "cannot be looked at"),
            ("b.png", None, "are not read"),
            (".secret/a.md", None, ".secret is hidden"),
            ("drafts/a.md", None, "the rule `drafts/*` in"),
            ("drafts/kept.md", None, "not indexed yet"),
            ("closed/kept.md", None, "the rule `closed/` in"),
            ("both/a.md", None, "the rule `both/a.md` in"),
            ("closed", None, "the rule `closed/` in"),
            ("drafts", None, "it is a folder"),
            ("data.txt", None, "not text"),
            ("link.md", None, "it is a link"),
            ("socket.md", None, "no regular file"),
        ];
        for (name, known, expected) in cases {
            let line = told(name, known);
            assert!(line.contains(expected), "{name}: {line}");
        }
        let outside = why(&home.path().join("else.md"), None, tools, &Pulse::default());
        assert!(outside.contains("no watched folder"), "{outside}");
    }
}
