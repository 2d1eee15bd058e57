//! Searches that a person keeps under a name: questions with their filters, as the line has them. One file, a search a
//! line, its name and its question with a tab between them, so that it can be read and edited by hand. The full-screen
//! view and the command line both write it: each change is made under a lock, to the file as it is then.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Searches that are kept: more than a person can name.
pub const SEARCHES_MAX: usize = 1_000;
/// Characters of a name: it is to be typed, and to stand in a row of a list.
pub const NAME_CHARS_MAX: usize = 60;
/// Bytes of the file that are read: all searches with questions of the usual length many times over.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A question under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub name: String,
    /// With its filters, as it is typed.
    pub question: String,
}

/// Why a search cannot be kept, or taken away.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error("a search needs a name of at most {NAME_CHARS_MAX} characters in one line")]
    Name,
    #[error("a search needs a question")]
    Question,
    #[error("{SEARCHES_MAX} searches are saved, and no more can be")]
    Full,
    #[error("no search is saved as {0:?}")]
    Unknown(String),
    #[error("saved searches: {0}")]
    File(#[from] io::Error),
}

/// All of the file at `path`, in its order; none if there is no file. What is no search in it is passed over.
///
/// # Errors
/// If it cannot be read.
pub fn load(path: &Path) -> Result<Vec<Search>, SavedError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut searches: Vec<Search> = Vec::new();
    for line in text.lines() {
        let search = line.split_once('\t').and_then(|(name, question)| search(name, question).ok());
        if let Some(search) = search.filter(|new| searches.iter().all(|old| old.name != new.name)) {
            searches.push(search);
        }
    }
    searches.truncate(SEARCHES_MAX);
    Ok(searches)
}

/// The question that is saved as `name`.
///
/// # Errors
/// If there is none, or the file cannot be read.
pub fn find(path: &Path, name: &str) -> Result<String, SavedError> {
    let found = load(path)?.into_iter().find(|search| search.name == name.trim());
    found.map(|search| search.question).ok_or_else(|| SavedError::Unknown(name.to_owned()))
}

/// Keeps `question` as `name`, in place of what was kept so, and returns all there is then.
///
/// # Errors
/// If one of them is none, there are too many, or the file cannot be written.
pub fn keep(path: &Path, name: &str, question: &str) -> Result<Vec<Search>, SavedError> {
    let search = search(name, question)?;
    change(path, |searches| {
        if let Some(old) = searches.iter_mut().find(|old| old.name == search.name) {
            *old = search;
        } else if searches.len() < SEARCHES_MAX {
            searches.push(search);
        } else {
            return Err(SavedError::Full);
        }
        Ok(())
    })
}

/// Takes away what is kept as `name`, and returns all there is then.
///
/// # Errors
/// If there is nothing of that name, or the file cannot be written.
pub fn remove(path: &Path, name: &str) -> Result<Vec<Search>, SavedError> {
    change(path, |searches| {
        let at = searches.iter().position(|search| search.name == name.trim());
        searches.remove(at.ok_or_else(|| SavedError::Unknown(name.to_owned()))?);
        Ok(())
    })
}

/// A line a search for people, the names in a column.
pub fn list(searches: &[Search]) -> String {
    let widest = searches.iter().map(|search| search.name.chars().count()).max().unwrap_or(0);
    let line = |Search { name, question }: &Search| {
        let line = format!("{name:<widest$}  {question}");
        format!("{}\n", tui_text::harmless(&line))
    };
    searches.iter().map(line).collect()
}

/// The parts without the blanks around them, line ends and other controls within them as blanks.
fn search(name: &str, question: &str) -> Result<Search, SavedError> {
    let one_line = |text: &str| {
        let blanked = |c: char| if c.is_control() { ' ' } else { c };
        text.trim().chars().map(blanked).collect::<String>()
    };
    let (name, question) = (one_line(name), one_line(question));
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(SavedError::Name);
    }
    if question.is_empty() {
        return Err(SavedError::Question);
    }
    Ok(Search { name, question })
}

/// Changes the file as it is now: it is read and written while nobody else does.
fn change(
    path: &Path,
    how: impl FnOnce(&mut Vec<Search>) -> Result<(), SavedError>,
) -> Result<Vec<Search>, SavedError> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut private = OpenOptions::new();
    private.create(true).write(true).truncate(true).mode(0o600);
    // Not the file itself, which another takes the place of.
    let lock = private.open(path.with_extension("lock"))?;
    lock.lock()?;
    let mut searches = load(path)?;
    how(&mut searches)?;
    let lines = searches.iter().map(|search| format!("{}\t{}\n", search.name, search.question));
    // Beside it and then in its place, so that a crash leaves the one or the other.
    let fresh = path.with_extension("new");
    let mut file = private.open(&fresh)?;
    file.write_all(lines.collect::<String>().as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)?;
    Ok(searches)
}

#[cfg(test)]
mod tests;
