//! What is asked of a reader of files that are no text: bytes in, text with its places out; and of a parser of
//! source code: text in, what it defines out.
//!
//! Both are in `daemon-formats`, and run in a process of their own (`worker`); what they refuse is remembered
//! (`ledger`).

pub(crate) mod ledger;
pub mod worker;

use std::path::Path;

use daemon_protocol::Place;
use serde::{Deserialize, Serialize};

use crate::document::{Definition, Kind, Mark};

/// A file as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted {
    /// How the text is to be cut: Markdown has its headings as `#` lines.
    pub kind: Kind,
    /// As the file itself says; its name's stem unless given.
    pub title: Option<String>,
    pub text: String,
    /// Where parts begin, ascending by byte of the text. What is before the first has no place.
    pub marks: Vec<Mark>,
}

/// Why a file gave no text. The message is shown beside the file's path, and says what can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unconverted {
    #[error("needs a password: store a copy without one beside it")]
    Locked,
    #[error("protected against copying: only the program it was bought for can open it")]
    Protected,
    /// Pictures of pages, most likely.
    #[error("no text layer: {parts} of pictures only; make one with OCR, for example ocrmypdf")]
    NoText { parts: String },
    /// The content is not what the name says, or not whole.
    #[error("damaged, or not what its name says: {0}")]
    Damaged(String),
    /// A limit was reached that protects the machine.
    #[error("too much to read: {0}")]
    TooMuch(String),
    /// There is no reader to be had now; the file is not why, and is tried again.
    #[error("its reader is not to be had: {0}")]
    Unavailable(String),
    /// The reader broke down or did not end; never the fault of the file beside it.
    #[error("its reader failed: {0}")]
    Failed(String),
}

/// Reads files that are no text, and parses source code. Blocks.
pub trait Convert: Send + Sync {
    /// The text of the file called `path` whose content is `bytes`.
    ///
    /// # Errors
    /// [`Unconverted`], if there is none to be had.
    fn convert(&self, path: &Path, bytes: &[u8]) -> Result<Converted, Unconverted>;

    /// What the source code `text` of the file called `path` defines, in order, what is within another behind
    /// that one; none where its language is not known.
    ///
    /// # Errors
    /// [`Unconverted`], if it cannot be parsed.
    fn outline(&self, path: &Path, text: &str) -> Result<Vec<Definition>, Unconverted> {
        let _ = (path, text);
        Ok(Vec::new())
    }

    /// There is nothing to read for now: what is held can be let go of.
    fn rest(&self) {}

    /// What was refused is to be read anew when it is asked for.
    fn forget(&self) {}
}

/// Most bytes of text that a file may become: as for text itself.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// Endings of the names of files that [`Convert`] reads.
#[rustfmt::skip]
pub const CONVERTED: &[&str] = &[
    "doc", "docm", "docx", "eml", "epub", "htm", "html", "ipynb", "mbox", "odp", "ods", "odt", "pdf",
    "pot", "pps", "ppsm", "ppsx", "ppt", "pptm", "pptx", "rtf", "xhtml", "xls", "xlsb", "xlsm", "xlsx",
];

/// Endings of the names of files of source code that [`Convert::outline`] may know.
#[rustfmt::skip]
pub const OUTLINED: &[&str] = &[
    "bash", "c", "cc", "cpp", "cu", "cuh", "cxx", "go", "h", "hh", "hpp", "hxx", "java", "js", "jsx", "mjs", "py",
    "pyi", "rb", "rs", "sh", "ts", "tsx",
];

/// Definitions of one file that are heeded: a file has a few hundred, one that a program wrote any number.
pub const DEFINITIONS_MAX: usize = 20_000;

/// A reader for tests and for services without files of their own: takes a file for UTF-8 text in which
/// a form feed ends a page, and one that is not UTF-8 for damaged.
pub struct Scripted;

impl Convert for Scripted {
    fn convert(&self, _: &Path, bytes: &[u8]) -> Result<Converted, Unconverted> {
        let text = std::str::from_utf8(bytes).map_err(|e| Unconverted::Damaged(e.to_string()))?;
        let begins = text.match_indices('\u{c}').map(|(at, _)| at + 1);
        let marks = [0].into_iter().chain(begins).zip(1..);
        let marks = marks.map(|(at, page)| Mark { at, place: Place::Page(page) }).collect();
        Ok(Converted { kind: Kind::Text, title: None, text: text.to_owned(), marks })
    }
}
