//! One suspected file -> its passages, ready to be embedded. Blocks; runs off the runtime.

use std::any::Any;
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use models::TokenCounter;

use crate::chunk::{body, chunk, embedded_text};
use crate::convert::{Convert, Unconverted};
use crate::document::{Extracted, Kind};
use crate::edition;
use crate::extract::{Unreadable, bytes_max, extract};
use crate::limits::PIECE_BYTES;
use crate::patience::Pulse;
use crate::scan::{Seen, root_of};
use crate::store::{Passage, Stamp};

/// A document that only lacks its vectors.
#[derive(Debug)]
pub struct Prepared {
    pub path: String,
    pub title: String,
    /// See [`crate::store::Document::names`].
    pub names: String,
    /// See [`crate::store::Document::tags`].
    pub tags: Vec<String>,
    pub stamp: Stamp,
    pub passages: Vec<Passage>,
    /// What is embedded for each passage, and how many tokens that is.
    pub texts: Vec<(String, usize)>,
    /// See [`crate::store::Document::digests`].
    pub digests: Vec<String>,
}

/// What became of a suspect.
#[derive(Debug)]
pub enum Outcome {
    Ready(Prepared),
    /// The content is what is indexed; only size or time had changed.
    Unchanged(Stamp),
    /// Deleted meanwhile, or no longer a file.
    Gone,
    /// Not to be indexed. `seen` is set if the content is why, so that only a change of the file
    /// is a reason to try again.
    Refused {
        seen: Option<Seen>,
        reason: String,
    },
    /// There is no telling what it holds at present: whatever is indexed of it stays.
    Unread {
        reason: String,
    },
}

/// What files are read with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Most tokens of a passage as it is embedded.
    pub tokens_max: usize,
    pub counter: &'a dyn TokenCounter,
    pub convert: &'a dyn Convert,
    /// Watched folders: from their names on, names of folders are searched by.
    pub roots: &'a [PathBuf],
}

/// Reads `path`, compares it with the `indexed` [`Stamp::hash`], and cuts it into passages.
pub fn prepare(path: &str, indexed: Option<&str>, tools: Tools<'_>, pulse: &Pulse) -> Outcome {
    let file = Path::new(path);
    // Taken before reading: if the file changes while it is read, the stamp is already old and
    // the next look at it reads it again.
    let seen = match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => Seen::of(&metadata),
        Ok(_) => return Outcome::Gone,
        Err(error) => return unread(&error),
    };
    let lasting = |reason: String| Outcome::Refused { seen: Some(seen), reason };
    let max = bytes_max(file);
    if seen.bytes > max {
        return lasting(Unreadable::TooLarge { bytes: seen.bytes, max }.to_string());
    }
    let bytes = match read(file, max, pulse) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Outcome::Refused { seen: None, reason: cannot_be_read(&error) };
        }
        Err(error) => return unread(&error),
    };
    pulse.compute();
    let hash = edition::hash(&bytes);
    let Seen { bytes: size, changed_ns, written_ns } = seen;
    let stamp = Stamp { bytes: size, changed_ns, written_ns, hash };
    if indexed == Some(stamp.hash.as_str()) {
        return Outcome::Unchanged(stamp);
    }
    // A panic at a file must not end the daemon, which would meet the same file after its next start.
    let cut = catch_unwind(AssertUnwindSafe(|| cut(path, bytes, stamp, tools)));
    match cut {
        Ok(Ok(prepared)) => Outcome::Ready(prepared),
        Ok(Err(reason @ Unreadable::Unconverted(Unconverted::Unavailable(_)))) => {
            Outcome::Unread { reason: reason.to_string() }
        }
        Ok(Err(reason)) => lasting(reason.to_string()),
        Err(panic) => lasting(format!("reading it panicked: {}", said(panic.as_ref()))),
    }
}

/// What is in the file `file`, as far as one byte beyond `max`.
fn read(file: &Path, max: u64, pulse: &Pulse) -> io::Result<Vec<u8>> {
    pulse.at(file)?;
    let mut opened = File::open(file)?.take(max + 1);
    let mut bytes = Vec::new();
    while opened.by_ref().take(PIECE_BYTES).read_to_end(&mut bytes)? > 0 {
        pulse.beat();
    }
    Ok(bytes)
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it did not say why")
}

/// The passages of the file `path`, which holds `bytes`.
fn cut(path: &str, bytes: Vec<u8>, stamp: Stamp, tools: Tools<'_>) -> Result<Prepared, Unreadable> {
    let Tools { tokens_max, counter, convert, roots } = tools;
    let file = Path::new(path);
    let extracted = extract(file, &bytes, convert)?;
    drop(bytes);
    let passages = chunk(&extracted, tokens_max, &|text| counter.count(text));
    let body = body(&extracted);
    let texts: Vec<(String, usize)> = passages
        .iter()
        .map(|passage| {
            let text = embedded_text(&extracted.title, &passage.heading, behind(passage, body));
            let tokens = counter.count(&text);
            (text, tokens)
        })
        .collect();
    Ok(Prepared {
        path: path.to_owned(),
        names: names(file, &extracted, roots),
        tags: extracted.tags,
        title: extracted.title,
        stamp,
        passages,
        digests: texts.iter().map(|(text, _)| digest(text)).collect(),
        texts,
    })
}

/// What tells embedded texts apart: half of a BLAKE3, in hex, which no two texts of one document share.
pub(crate) fn digest(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    hash[..hash.len() / 2].to_owned()
}

/// A passage's text behind byte `body` of the document, unless all of it is before that.
fn behind(passage: &Passage, body: usize) -> &str {
    let before = body.saturating_sub(passage.bytes.start);
    let rest = passage.text.get(before..).unwrap_or_default().trim_start_matches(['\r', '\n']);
    if rest.trim().is_empty() { &passage.text } else { rest }
}

/// Words of the names of the file and of the folders it is in, from the watched one on, and what the document
/// says it is called and filed under. A file's name that is its title already is not said twice.
fn names(path: &Path, extracted: &Extracted, roots: &[PathBuf]) -> String {
    let above = root_of(roots, path).and_then(Path::parent).unwrap_or(Path::new(""));
    let mut below = path.strip_prefix(above).unwrap_or(path).to_owned();
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy() == extracted.title) {
        below.set_file_name(path.extension().unwrap_or_default());
    }
    let names = below.components().map(|part| part.as_os_str().to_string_lossy());
    // A tag in the text is found there, in the passage that has it.
    let is_said = |tag: &&String| {
        let is_noted = extracted.kind == Kind::Markdown;
        is_noted && extracted.text[body(extracted)..].contains(&format!("#{tag}"))
    };
    let tags = extracted.tags.iter().filter(|tag| !is_said(tag));
    let given = extracted.aliases.iter().chain(tags).map(Cow::from);
    names.chain(given).collect::<Vec<_>>().join("\n")
}

/// What an error says of a file: that it is gone, or nothing.
fn unread(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Outcome::Gone,
        _ => Outcome::Unread { reason: cannot_be_read(error) },
    }
}

fn cannot_be_read(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Converted, Scripted};

    #[test]
    fn documents_are_searched_by_their_names_and_tags() {
        let table = [
            (
                "/home/n/a/log.md",
                "---\ntags: [x, y z]\naliases: old log\n---\n# T\n",
                "n\na\nlog.md\nold log\nx\ny z",
            ),
            ("/home/n/log.md", "plain", "n\nmd"),
            ("/home/n/log.md", "---\ntags: x\n---\nplain #y", "n\nmd\nx"),
            ("/home/n/log.org", "#+filetags: :x:\n", "n\norg\nx"),
        ];
        for (path, text, expected) in table {
            let path = Path::new(path);
            let extracted = extract(path, text.as_bytes(), &Scripted).unwrap();
            assert_eq!(names(path, &extracted, &[PathBuf::from("/home/n")]), expected, "{text:?}");
        }
    }

    #[test]
    fn a_panic_is_a_reason_that_lasts_until_the_file_changes() {
        struct Panics;
        impl Convert for Panics {
            fn convert(&self, _: &Path, _: &[u8]) -> Result<Converted, Unconverted> {
                panic!("at byte {}", 7)
            }
        }
        struct Zero;
        impl TokenCounter for Zero {
            fn count(&self, _: &str) -> usize {
                0
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pdf");
        fs::write(&path, "x").unwrap();
        let tools = Tools { tokens_max: 9, counter: &Zero, convert: &Panics, roots: &[] };
        let outcome = prepare(path.to_str().unwrap(), None, tools, &Pulse::default());
        let Outcome::Refused { seen, reason } = outcome else { panic!("{outcome:?}") };
        assert_eq!(reason, "reading it panicked: at byte 7");
        assert_eq!(seen, Some(Seen::of(&fs::symlink_metadata(&path).unwrap())));
    }

    #[test]
    fn the_model_does_not_read_front_matter() {
        let table = [
            ("a.md", "---\nk: v\n---\n\n# A\ntext", "# A\ntext"),
            ("a.md", "---\nk: v\n---\n\n  text", "  text"),
            ("a.md", "---\nk: v\n---\n", "---\nk: v\n---"),
            ("a.txt", "---\nk: v\n---\ntext", "---\nk: v\n---\ntext"),
        ];
        for (path, text, expected) in table {
            let extracted = extract(Path::new(path), text.as_bytes(), &Scripted).unwrap();
            let passages = chunk(&extracted, 64, &|text| text.split_whitespace().count());
            assert_eq!(behind(&passages[0], body(&extracted)), expected, "{text:?}");
        }
    }
}
