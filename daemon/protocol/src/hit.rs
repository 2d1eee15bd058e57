//! What a search found, and what is read of a document around it.

use serde::{Deserialize, Serialize};

use crate::place::Place;

/// One ranked passage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hit {
    /// Absolute path.
    pub path: String,
    pub title: String,
    /// Headings above the passage, outermost first, joined by ` > `.
    pub heading: String,
    /// First and last line of the passage, from 1.
    pub line_start: usize,
    pub line_end: usize,
    /// Line of the first match that the snippet shows, or of its beginning without one, from 1;
    /// where an editor should open.
    pub line: usize,
    pub byte_start: usize,
    pub byte_end: usize,
    /// The file is no text, as a PDF is none: bytes and lines are of the text that was read from it, and
    /// `read` gives that text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub converted: bool,
    /// The page, slide or other part, where the document has parts.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Fused score of words and vector, larger is better; comparable within one answer only.
    pub score: f32,
    /// A window of the passage around its best match.
    pub snippet: String,
    /// Byte ranges of `snippet` that match words of the question, ascending, not overlapping.
    pub highlights: Vec<(usize, usize)>,
    /// Where each stage ranked it, from 1; absent if the stage did not return it.
    pub ranks: Ranks,
    /// What each stage made of it.
    #[serde(default, skip_serializing_if = "Scores::is_empty")]
    pub scores: Scores,
    /// Words of the question that the passage has, its headings and its document's title counted, as they were typed;
    /// at most [`EXPLAINED_WORDS_MAX`](crate::EXPLAINED_WORDS_MAX), and none that say nothing, such as `the`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Those that it has not, likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What reading thinks of it: the mean log-probability of the question's tokens after the passage,
    /// less that of the passage after which the question is likeliest; so 0 is the best. Absent if it
    /// was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<f32>,
    /// Absolute paths of other documents that hold the passage too, or nearly so, the best one first; they have
    /// no hits of their own for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Whether it was marked as a right or as a wrong answer to the question; absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<bool>,
}

impl Hit {
    /// Where to look: `path`, which may be shortened, with the line of a text, or the page or other part of a
    /// document that has parts.
    pub fn located(&self, path: &str) -> String {
        match &self.place {
            Some(place) => format!("{path}:{place}"),
            None if self.converted => path.to_owned(),
            None => format!("{path}:{}", self.line),
        }
    }
}

/// A passage to be read, not ranked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    pub byte_start: usize,
    pub line_start: usize,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    pub text: String,
}

/// What moved a hit: ranks, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ranks {
    /// By words alone.
    pub text: Option<usize>,
    /// By vector alone: the question's, with the thoughts that there were by then.
    pub vector: Option<usize>,
    /// Rank in the draft, before reading and thinking; not in hits of the draft itself.
    pub draft: Option<usize>,
    /// By the vector of the question without thoughts; only where `vector` is with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare: Option<usize>,
    /// By words and vector together, before reading counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<usize>,
    /// After reading and before thinking; only in hits that come after a thought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<usize>,
}

/// What a hit is worth at each stage, larger is better; absent if the stage did not return it. What reading makes of it
/// is [`Hit::reading`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scores {
    /// BM25 of the question's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<f32>,
    /// Cosine to the vector that [`Ranks::vector`] is by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<f32>,
    /// Cosine to the vector of the question without thoughts; only where `vector` is with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare: Option<f32>,
    /// Words and vector together, before reading counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fused: Option<f32>,
    /// The same in the draft; not in hits of the draft itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<f32>,
}

impl Scores {
    fn is_empty(&self) -> bool {
        *self == Scores::default()
    }
}
