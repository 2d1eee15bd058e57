//! What a person said of an answer.

use serde::{Deserialize, Serialize};

/// A passage marked as a right or a wrong answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// As it was typed, with its filters.
    pub question: String,
    /// Absolute path, when it was marked.
    pub path: String,
    /// Where the passage was in the document's text then.
    pub byte_start: usize,
    pub byte_end: usize,
    pub right: bool,
    /// The document's title.
    pub title: String,
    /// The passage's first words.
    pub opening: String,
    /// When it was marked, in seconds since 1970.
    pub made_s: u64,
}
