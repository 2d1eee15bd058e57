//! Files that were touched and hold what they held: the size and time by which the next start knows that without
//! reading them again. The store keeps those that it was given, since to change them there is to write each passage
//! again.
//!
//! What is remembered of a file counts as long as the store has the very content that was found in it then, so that the
//! store stays the manifest. What is lost of it costs a reading.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use models::files;
use serde::{Deserialize, Serialize};

use crate::limits::{TOUCHED_BYTES_MAX, TOUCHED_MAX};
use crate::store::{Known, Stamp};

/// See the module.
pub(crate) struct Touched {
    file: PathBuf,
    page: Mutex<Page>,
}

#[derive(Debug, Default)]
struct Page {
    stamps: BTreeMap<String, Entry>,
    is_unwritten: bool,
}

/// A [`Stamp`] as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    changed_ns: i64,
    written_ns: i64,
    hash: String,
}

impl Touched {
    /// What is in `file`; no file, or a damaged one, is nothing.
    pub(crate) fn load(file: &Path) -> Touched {
        let page = Page { stamps: read(file).unwrap_or_default(), is_unwritten: false };
        Touched { file: file.to_owned(), page: Mutex::new(page) }
    }

    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file `path` has been read, and holds what is indexed of it. Past [`TOUCHED_MAX`] it is read again after the
    /// next start.
    pub(crate) fn note(&self, path: &str, stamp: &Stamp) {
        let Stamp { bytes, changed_ns, written_ns, hash } = stamp.clone();
        let entry = Entry { bytes, changed_ns, written_ns, hash };
        let mut page = self.page();
        if page.stamps.len() < TOUCHED_MAX || page.stamps.contains_key(path) {
            page.is_unwritten |= page.stamps.insert(path.to_owned(), entry.clone()) != Some(entry);
        }
    }

    /// Gives the documents of a store that was just opened the stamps that are remembered of their files.
    pub(crate) fn restamp(&self, known: &mut BTreeMap<String, Known>) {
        for (path, entry) in &self.page().stamps {
            let Some(known) = known.get_mut(path).filter(|known| known.stamp.hash == entry.hash)
            else {
                continue;
            };
            let Entry { bytes, changed_ns, written_ns, hash } = entry.clone();
            known.stamp = Stamp { bytes, changed_ns, written_ns, hash };
        }
    }

    /// Writes what is remembered of the documents that are `known` still, if there is anything new. Blocks.
    pub(crate) fn write(&self, known: &BTreeMap<String, Known>) {
        let mut page = self.page();
        if !std::mem::take(&mut page.is_unwritten) {
            return;
        }
        page.stamps.retain(|path, entry| {
            known.get(path).is_some_and(|known| known.stamp.hash == entry.hash)
        });
        let written = serde_json::to_vec(&page.stamps).map_err(io::Error::from);
        drop(page);
        let written = written.and_then(|bytes| files::replace(&self.file, &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "touched files will be read again");
        }
    }
}

fn read(file: &Path) -> io::Result<BTreeMap<String, Entry>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(TOUCHED_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(time: i64, hash: &str) -> Stamp {
        Stamp { bytes: 3, changed_ns: time, written_ns: time, hash: hash.to_owned() }
    }

    fn known(files: &[(&str, i64, &str)]) -> BTreeMap<String, Known> {
        let known = |(path, time, hash): &(&str, i64, &str)| {
            let stamp = stamp(*time, hash);
            ((*path).to_owned(), Known { stamp, tags: Vec::new(), passages: 1 })
        };
        files.iter().map(known).collect()
    }

    #[test]
    fn what_was_touched_is_remembered_as_long_as_it_is_indexed_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("touched.json");
        let touched = Touched::load(&file);
        touched.note("/a", &stamp(9, "x"));
        touched.note("/b", &stamp(9, "x"));
        touched.note("/gone", &stamp(9, "x"));
        touched.write(&known(&[("/a", 9, "x"), ("/b", 9, "x"), ("/c", 1, "x")]));
        let mut opened =
            known(&[("/a", 1, "x"), ("/b", 1, "y"), ("/c", 1, "x"), ("/gone", 1, "x")]);
        Touched::load(&file).restamp(&mut opened);
        let times: Vec<i64> = opened.values().map(|known| known.stamp.changed_ns).collect();
        assert_eq!(times, [9, 1, 1, 1], "another content, never touched, forgotten meanwhile");
    }

    #[test]
    fn nothing_is_written_where_nothing_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("touched.json");
        let all = known(&[("/a", 9, "x")]);
        let touched = Touched::load(&file);
        touched.write(&all);
        assert!(!file.exists());
        touched.note("/a", &stamp(9, "x"));
        touched.write(&all);
        std::fs::remove_file(&file).unwrap();
        touched.note("/a", &stamp(9, "x"));
        touched.write(&all);
        assert!(!file.exists(), "it was written before");
        for damaged in ["", "[]", "{\"/a\": 1}"] {
            std::fs::write(&file, damaged).unwrap();
            let mut opened = all.clone();
            Touched::load(&file).restamp(&mut opened);
            assert_eq!(opened, all, "{damaged:?}");
        }
    }
}
