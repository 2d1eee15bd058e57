//! One suspected file -> its passages, ready to be embedded. Blocks; runs off the runtime.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use models::TokenCounter;

use crate::chunk::{chunk, embedded_text};
use crate::extract::{FILE_BYTES_MAX, Unreadable, extract};
use crate::scan::Seen;
use crate::store::{Passage, Stamp};

/// A document that only lacks its vectors.
#[derive(Debug)]
pub struct Prepared {
    pub path: String,
    pub title: String,
    pub stamp: Stamp,
    pub passages: Vec<Passage>,
    /// What is embedded for each passage, and how many tokens that is.
    pub texts: Vec<(String, usize)>,
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
}

/// Reads `path`, compares it with the `indexed` hash, and cuts it into passages.
pub fn prepare(
    path: &str,
    indexed: Option<&str>,
    tokens_max: usize,
    counter: &dyn TokenCounter,
) -> Outcome {
    let file = Path::new(path);
    // Taken before reading: if the file changes while it is read, the stamp is already old and
    // the next look at it reads it again.
    let seen = match fs::symlink_metadata(file) {
        Ok(metadata) if metadata.is_file() => Seen::of(&metadata),
        Ok(_) => return Outcome::Gone,
        Err(error) => return refused(&error),
    };
    let lasting =
        |reason: Unreadable| Outcome::Refused { seen: Some(seen), reason: reason.to_string() };
    if seen.bytes > FILE_BYTES_MAX {
        return lasting(Unreadable::TooLarge { bytes: seen.bytes, max: FILE_BYTES_MAX });
    }
    let mut bytes = Vec::new();
    let read =
        File::open(file).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        return refused(&error);
    }
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let stamp = Stamp { bytes: seen.bytes, changed_ns: seen.changed_ns, hash };
    if indexed == Some(stamp.hash.as_str()) {
        return Outcome::Unchanged(stamp);
    }
    let extracted = match extract(file, &bytes) {
        Ok(extracted) => extracted,
        Err(reason) => return lasting(reason),
    };
    drop(bytes);
    let passages = chunk(&extracted, tokens_max, &|text| counter.count(text));
    let texts = passages
        .iter()
        .map(|passage| {
            let text = embedded_text(&extracted.title, &passage.heading, &passage.text);
            let tokens = counter.count(&text);
            (text, tokens)
        })
        .collect();
    Outcome::Ready(Prepared {
        path: path.to_owned(),
        title: extracted.title,
        stamp,
        passages,
        texts,
    })
}

fn refused(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Outcome::Gone,
        _ => Outcome::Refused { seen: None, reason: format!("cannot be read: {error}") },
    }
}
