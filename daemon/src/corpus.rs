//! The passages of a folder without an index: what `fore train` learns from. The same walk, the same
//! ignore rules, the same cuts as the index has.

use std::path::Path;
use std::sync::Arc;

use models::TokenCounter;
use tokio_util::sync::CancellationToken;

use crate::prepare::{Outcome, prepare};
use crate::scan::{self, Reach};

/// A passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPassage {
    /// Absolute path of its file.
    pub path: String,
    /// Its first line, from 1.
    pub line: usize,
    /// What is embedded of it: where it is, then what it says.
    pub text: String,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Folder {
    pub passages: Vec<FolderPassage>,
    /// Files that were read.
    pub files: usize,
    /// What could not be read, with the reason.
    pub problems: Vec<(String, String)>,
}

/// Reads `folder` as the indexer would, into passages of at most `tokens_max` tokens. Blocks;
/// `progress` is told how many files are done, and of how many.
pub fn read_folder(
    folder: &Path,
    tokens_max: usize,
    counter: &dyn TokenCounter,
    progress: &mut dyn FnMut(usize, usize),
) -> Folder {
    let scan = scan::walk(&[folder.to_owned()], &Arc::new(Reach::All), &CancellationToken::new());
    let mut found = Folder::default();
    found.problems.extend(scan.unreadable);
    let total = scan.files.len();
    for (done, path) in scan.files.keys().enumerate() {
        progress(done, total);
        match prepare(path, None, tokens_max, counter) {
            Outcome::Ready(prepared) => {
                found.files += 1;
                let texts = prepared.texts.into_iter().map(|(text, _)| text);
                let passages = prepared.passages.iter().zip(texts);
                found.passages.extend(passages.map(|(passage, text)| FolderPassage {
                    path: path.clone(),
                    line: passage.lines.0,
                    text,
                }));
            }
            Outcome::Refused { reason, .. } => found.problems.push((path.clone(), reason)),
            Outcome::Unchanged(_) | Outcome::Gone => {}
        }
    }
    progress(total, total);
    found
}
