//! A failure as the person is told of it who has to do something about it.

use std::fmt;
use std::io;
use std::path::Path;

use crate::MindError;

/// What failed, and what can be done. Where the process ends with it is the program's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserError {
    /// Lower case, no full stop.
    pub message: String,
    /// What the person can do about it, one thing each.
    pub hints: Vec<String>,
}

impl UserError {
    /// A failure that nobody can be advised about yet.
    pub fn new(message: impl Into<String>) -> Self {
        UserError { message: message.into(), hints: Vec::new() }
    }

    /// The same with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// An input or output error, with what was being done: `reading /a/b`.
    pub fn io(doing: impl fmt::Display, source: &io::Error) -> Self {
        UserError::new(format!("{doing}: {source}"))
    }

    /// A file or folder that cannot be read.
    pub fn reading(path: &Path, source: &io::Error) -> Self {
        UserError::io(format_args!("reading {}", path.display()), source)
    }

    /// A file or folder that cannot be written.
    pub fn writing(path: &Path, source: &io::Error) -> Self {
        UserError::io(format_args!("writing {}", path.display()), source)
    }
}

/// The message, and the hints after it as parts of one line.
impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hints.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for UserError {}

impl From<MindError> for UserError {
    fn from(error: MindError) -> Self {
        UserError::new(error.to_string())
    }
}
