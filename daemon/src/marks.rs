//! What people said of answers: which passages are right or wrong for which questions, kept in a file that is
//! replaced whole.
//!
//! A passage is known again by its words, wherever a new version of its document has them, or by its first words.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use daemon_protocol::{Failure, MARKS_MAX, Mark};
use models::files;
use serde::{Deserialize, Serialize};

use crate::error::internal;
use crate::label::label;
use crate::limits::{
    MARK_OPENING_WORDS, MARK_TELLING_WORDS, MARKS_EVENT_BYTES_MAX, MARKS_FILE_BYTES_MAX,
};
use crate::phrase::plain;

#[cfg(test)]
mod tests;

/// Changes when the file's shape does.
const FILE_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Page {
    version: u32,
    /// The oldest first.
    marks: VecDeque<Kept>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    #[serde(flatten)]
    mark: Mark,
    /// Half of a BLAKE3 of the passage's words, hex.
    hash: String,
    /// The question's words as they are compared: without its filters, small, with single spaces.
    words: String,
}

impl Kept {
    /// Whether the mark is of the passage with this text and place.
    fn is_of(&self, path: &str, print: &Print) -> bool {
        let is_here = self.mark.path == path;
        let is_same = self.hash == print.hash && (is_here || print.words >= MARK_TELLING_WORDS);
        is_same || (is_here && !print.opening.is_empty() && self.mark.opening == print.opening)
    }
}

/// What a passage is known by.
struct Print {
    hash: String,
    opening: String,
    words: usize,
}

impl Print {
    fn of(text: &str) -> Print {
        let words: Vec<&str> = text.split_whitespace().collect();
        let hash = blake3::hash(words.join(" ").as_bytes()).to_hex();
        let opening = label(&words[..words.len().min(MARK_OPENING_WORDS)].join(" "));
        Print { hash: hash[..hash.len() / 2].to_owned(), opening, words: words.len() }
    }
}

/// A passage that a person points at.
pub(crate) struct Pointed {
    pub(crate) question: String,
    /// The question without its filters.
    pub(crate) words: String,
    pub(crate) path: String,
    pub(crate) byte_start: usize,
    pub(crate) byte_end: usize,
    /// Its document's title and its text, as it is indexed; absent if it is not any more.
    pub(crate) indexed: Option<(String, String)>,
}

/// The marks of one question.
#[derive(Debug, Default)]
pub(crate) struct Marked(Vec<Kept>);

impl Marked {
    /// What was said of the passage with this text; the newest word counts.
    pub(crate) fn of(&self, path: &str, text: &str) -> Option<bool> {
        if self.0.is_empty() {
            return None;
        }
        let print = Print::of(text);
        let newest = self.0.iter().rev().find(|kept| kept.is_of(path, &print));
        newest.map(|kept| kept.mark.right)
    }
}

/// See the module. Calls that change marks block on the file system.
pub(crate) struct Marks {
    file: PathBuf,
    page: Mutex<Result<VecDeque<Kept>, String>>,
}

impl Marks {
    /// Reads the file; none is an empty list. One that is damaged is set aside, beside where it was.
    pub(crate) fn load(file: &Path) -> Marks {
        let page = match read(file) {
            Ok(Ok(marks)) => Ok(marks),
            Ok(Err(damage)) => set_aside(file, &damage).map(|()| VecDeque::new()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(VecDeque::new()),
            Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
        };
        if let Err(reason) = &page {
            tracing::warn!("no marks until the next start: {reason}");
        }
        Marks { file: file.to_owned(), page: Mutex::new(page) }
    }

    fn page(&self) -> MutexGuard<'_, Result<VecDeque<Kept>, String>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The marks of the question with these words, whatever its filters and its capitals.
    pub(crate) fn of(&self, words: &str) -> Marked {
        let page = self.page();
        let Ok(marks) = &*page else { return Marked::default() };
        if marks.is_empty() {
            return Marked::default();
        }
        let words = plain(words);
        Marked(marks.iter().filter(|kept| kept.words == words).cloned().collect())
    }

    /// Marks the passage, in place of what was said of it before; absent takes that back. On disk first.
    pub(crate) fn set(
        &self,
        pointed: Pointed,
        right: Option<bool>,
    ) -> Result<Option<Mark>, Failure> {
        let mut page = self.page();
        let before = page.as_ref().map_err(|reason| internal(reason.clone()))?;
        let Pointed { question, words, path, byte_start, byte_end, indexed } = pointed;
        let (words, print) = (plain(&words), indexed.as_ref().map(|(_, text)| Print::of(text)));
        let is_this = |kept: &Kept| {
            let place = (kept.mark.path == path)
                && (kept.mark.byte_start, kept.mark.byte_end) == (byte_start, byte_end);
            kept.words == words && print.as_ref().map_or(place, |print| kept.is_of(&path, print))
        };
        if right.is_none() && !before.iter().any(is_this) {
            return Ok(None);
        }
        let mut after: VecDeque<Kept> =
            before.iter().filter(|kept| !is_this(kept)).cloned().collect();
        let mark = right.zip(indexed).zip(print.as_ref()).map(|((right, (title, _)), print)| {
            let made_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let (title, opening) = (label(&title), print.opening.clone());
            let path = path.clone();
            Mark { question, path, byte_start, byte_end, right, title, opening, made_s }
        });
        if let Some((mark, print)) = mark.clone().zip(print.as_ref()) {
            after.push_back(Kept { mark, hash: print.hash.clone(), words });
        }
        let excess = after.len().saturating_sub(MARKS_MAX);
        after.drain(..excess);
        write(&self.file, &after).map_err(|error| {
            internal(format!("writing the marks {}: {error}", self.file.display()))
        })?;
        *page = Ok(after);
        Ok(mark)
    }

    /// All marks, the oldest first, in lists that fit a frame; at least one.
    pub(crate) fn list(&self) -> Result<Vec<Vec<Mark>>, Failure> {
        let page = self.page();
        let marks = page.as_ref().map_err(|reason| internal(reason.clone()))?;
        let mut lists = vec![Vec::new()];
        let mut bytes = 0;
        for Kept { mark, .. } in marks {
            let Mark { question, path, title, opening, .. } = mark;
            let more = question.len() + path.len() + title.len() + opening.len();
            if bytes + more > MARKS_EVENT_BYTES_MAX {
                lists.push(Vec::new());
                bytes = 0;
            }
            bytes += more;
            if let Some(last) = lists.last_mut() {
                last.push(mark.clone());
            }
        }
        Ok(lists)
    }
}

/// What the file holds, or how it is damaged.
fn read(file: &Path) -> io::Result<Result<VecDeque<Kept>, String>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MARKS_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MARKS_FILE_BYTES_MAX {
        return Ok(Err(format!("it has more than {MARKS_FILE_BYTES_MAX} bytes")));
    }
    Ok(match serde_json::from_slice::<Page>(&bytes) {
        Err(error) => Err(error.to_string()),
        Ok(page) if page.version != FILE_VERSION => {
            Err(format!("its version is {}, this program's is {FILE_VERSION}", page.version))
        }
        Ok(page) => Ok(page.marks),
    })
}

/// Keeps a file that cannot be used under another name, so that nothing is written over it.
fn set_aside(file: &Path, damage: &str) -> Result<(), String> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut aside = file.as_os_str().to_owned();
    aside.push(format!(".damaged-{seconds}"));
    fs::rename(file, &aside).map_err(|error| {
        format!("{} is damaged ({damage}) and cannot be set aside: {error}", file.display())
    })?;
    tracing::warn!(
        "the marks in {} could not be used ({damage}); they are kept as {}",
        file.display(),
        Path::new(&aside).display()
    );
    Ok(())
}

/// A crash leaves the old marks or the new ones.
fn write(file: &Path, marks: &VecDeque<Kept>) -> io::Result<()> {
    #[derive(Serialize)]
    struct Written<'a> {
        version: u32,
        marks: &'a VecDeque<Kept>,
    }
    let mut text = serde_json::to_vec(&Written { version: FILE_VERSION, marks })?;
    text.push(b'\n');
    files::replace(file, &text)
}
