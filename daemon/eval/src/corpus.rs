//! The passages of a folder without an index: what `fore train` learns from. The same walk, the same
//! ignore rules, the same cuts as the index has.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use daemon::patience::Pulse;
use daemon::prepare::{Outcome, Tools, prepare};
use daemon::scan::{self, Reach};

/// A passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderPassage {
    /// Absolute path of its file.
    pub path: String,
    /// What is embedded of it: where it is, then what it says.
    pub text: String,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Folder {
    pub passages: Vec<FolderPassage>,
    /// What could not be read, with the reason.
    pub problems: Vec<(String, String)>,
}

/// Reads `folder` as the indexer would. Blocks.
pub fn read_folder(folder: &Path, tools: Tools<'_>) -> Folder {
    let (pulse, roots) = (Pulse::default(), [folder.to_owned()]);
    let scan = scan::walk(&roots, &Arc::new(Reach::All), &CancellationToken::new(), &pulse);
    let mut found = Folder::default();
    found.problems.extend(scan.unreadable);
    for path in scan.files.keys() {
        match prepare(path, None, tools, &pulse) {
            Outcome::Ready(prepared) => {
                let texts = prepared.texts.into_iter();
                let passage = |(text, _)| FolderPassage { path: path.clone(), text };
                found.passages.extend(texts.map(passage));
            }
            Outcome::Refused { reason, .. } | Outcome::Unread { reason } => {
                found.problems.push((path.clone(), reason));
            }
            Outcome::Unchanged(_) | Outcome::Gone => {}
        }
    }
    found
}
