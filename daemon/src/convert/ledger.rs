//! What its reader refused, remembered beyond the end of the process: a file that breaks its reader, or keeps it
//! busy until it is ended, is not given to it again at each start.
//!
//! It is known by its content, wherever it lies, and by what reads it; what another number of [`READERS`] refused
//! is forgotten.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use models::files;
use serde::{Deserialize, Serialize};

use super::{Convert, Converted, Unconverted};
use crate::document::Definition;
use crate::limits::{REFUSALS_BYTES_MAX, REFUSALS_MAX};

/// To be raised with any change by which a reader may read what it refused.
const READERS: u32 = 2;

/// See the module.
pub(crate) struct Ledger {
    readers: Arc<dyn Convert>,
    file: PathBuf,
    page: Mutex<Page>,
}

/// The file's content.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Page {
    readers: u32,
    /// The oldest first.
    refused: VecDeque<Refusal>,
    #[serde(skip)]
    is_unwritten: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Refusal {
    /// Where it was met, for people who look into the file.
    path: String,
    /// The ending of its name, which says what reads it.
    reader: String,
    /// BLAKE3 of its content, hex.
    hash: String,
    why: Unconverted,
}

impl Ledger {
    /// `readers`, and what is in `file` of what they refused before.
    pub(crate) fn new(readers: Arc<dyn Convert>, file: PathBuf) -> Ledger {
        // A ledger that is gone or damaged costs a reading of what was in it.
        let page = read(&file).ok().filter(|page| page.readers == READERS);
        let page = page.unwrap_or_else(|| Page { readers: READERS, ..Page::default() });
        Ledger { readers, file, page: Mutex::new(page) }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, refusal: Refusal) {
        // Only these have cost a process, or as much time; the others may wait for company.
        let is_dear = matches!(refusal.why, Unconverted::Failed(_) | Unconverted::TooMuch(_));
        let mut page = self.page();
        while page.refused.len() >= REFUSALS_MAX {
            page.refused.pop_front();
        }
        page.refused.push_back(refusal);
        page.is_unwritten = true;
        drop(page);
        if is_dear {
            self.write();
        }
    }

    fn write(&self) {
        let mut page = self.page();
        if !std::mem::take(&mut page.is_unwritten) {
            return;
        }
        let written = serde_json::to_vec(&*page).map_err(io::Error::from);
        let written = written.and_then(|bytes| files::replace(&self.file, &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "what is refused will be met again");
        }
    }
}

impl Convert for Ledger {
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        let reader = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let hash = blake3::hash(bytes).to_hex().to_string();
        let is_this = |one: &&Refusal| one.hash == hash && one.reader == reader;
        if let Some(refusal) = self.page().refused.iter().find(is_this) {
            return Err(refusal.why.clone());
        }
        let read = self.readers.convert(path, bytes);
        match &read {
            Ok(_) | Err(Unconverted::Unavailable(_)) => {}
            Err(why) => {
                let (path, why) = (path.to_string_lossy().into_owned(), why.clone());
                self.note(Refusal { path, reader, hash, why });
            }
        }
        read
    }

    fn outline(&self, path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
        self.readers.outline(path, text)
    }

    fn rest(&self) {
        self.readers.rest();
        self.write();
    }

    fn forget(&self) {
        let mut page = self.page();
        page.is_unwritten |= !page.refused.is_empty();
        page.refused.clear();
    }
}

fn read(file: &Path) -> io::Result<Page> {
    let mut bytes = Vec::new();
    File::open(file)?.take(REFUSALS_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Does what a file says, and counts how often it is asked.
    #[derive(Default)]
    struct Obeys(AtomicUsize);

    impl Convert for Obeys {
        fn convert(&self, _: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let said = String::from_utf8_lossy(bytes).into_owned();
            Err(match bytes {
                b"away" => Unconverted::Unavailable(said),
                b"break" => Unconverted::Failed(said),
                _ => Unconverted::Damaged(said),
            })
        }
    }

    struct Bench {
        dir: tempfile::TempDir,
        readers: Arc<Obeys>,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { dir: tempfile::tempdir().unwrap(), readers: Arc::default() }
        }

        fn file(&self) -> PathBuf {
            self.dir.path().join("data/refused.json")
        }

        /// As after a start.
        fn ledger(&self) -> Ledger {
            Ledger::new(self.readers.clone(), self.file())
        }

        /// How often the readers are asked when `ledger` is, in turn.
        fn asked(&self, ledger: &Ledger, files: &[(&str, &str)]) -> usize {
            let before = self.readers.0.load(Ordering::Relaxed);
            for (path, bytes) in files {
                let why = ledger.convert(Path::new(path), bytes.as_bytes()).unwrap_err();
                assert!(why.to_string().ends_with(bytes), "{why}");
            }
            self.readers.0.load(Ordering::Relaxed) - before
        }
    }

    #[test]
    fn what_is_refused_is_met_once_whatever_it_is_called_and_however_often_it_starts() {
        let bench = Bench::new();
        let ledger = bench.ledger();
        let both =
            [("/a.pdf", "break"), ("/b/c.PDF", "break"), ("/a.doc", "break"), ("/a.pdf", "odd")];
        assert_eq!(bench.asked(&ledger, &both), 3, "once a content and reader");
        assert_eq!(bench.asked(&ledger, &both), 0);
        // What broke its reader is kept at once; the process may end at any moment.
        drop(ledger);
        let ledger = bench.ledger();
        assert_eq!(bench.asked(&ledger, &both), 1);
        ledger.rest();
        assert_eq!(bench.asked(&bench.ledger(), &both), 0);
        let mode = fs::metadata(bench.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        ledger.forget();
        ledger.rest();
        assert_eq!(bench.asked(&bench.ledger(), &both), 3);
    }

    #[test]
    fn what_may_pass_is_not_remembered_and_what_is_damaged_is_begun_anew() {
        let bench = Bench::new();
        let ledger = bench.ledger();
        assert_eq!(bench.asked(&ledger, &[("/a.pdf", "away"), ("/a.pdf", "away")]), 2);
        ledger.rest();
        assert!(!bench.file().exists(), "there is nothing to write");
        bench.asked(&ledger, &[("/a.pdf", "break")]);
        for odd in ["", "{", "{\"readers\":0,\"refused\":[]}", "[]"] {
            let text = fs::read_to_string(bench.file()).unwrap();
            fs::write(bench.file(), odd).unwrap();
            assert_eq!(bench.asked(&bench.ledger(), &[("/a.pdf", "break")]), 1, "{odd:?}");
            fs::write(bench.file(), text).unwrap();
        }
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let bench = Bench::new();
        let ledger = bench.ledger();
        let names: Vec<String> = (0..=REFUSALS_MAX).map(|number| format!("odd {number}")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| ("/a.pdf", name.as_str())).collect();
        assert_eq!(bench.asked(&ledger, &files), REFUSALS_MAX + 1);
        assert_eq!(bench.asked(&ledger, &files[1..]), 0);
        assert_eq!(bench.asked(&ledger, &files[..1]), 1);
    }
}
