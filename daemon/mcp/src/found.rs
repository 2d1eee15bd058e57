//! What tools answer with: shapes of their own, smaller than the wire's, whose schemas an agent is given.

use daemon_protocol::{DaemonStatus, Hit, Passage, Phase, Timings};
use schemars::JsonSchema;
use serde::Serialize;

/// Passages that were found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// What the model thought about the question, one text a thought.
    pub(crate) thoughts: Vec<String>,
    /// Why something that was asked for is missing, if it is.
    pub(crate) degraded: Option<String>,
    /// How the question was understood, where that may not be what was meant.
    pub(crate) notes: Vec<String>,
    /// Best first.
    pub(crate) hits: Vec<Found>,
}

/// One passage that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// Absolute path of the document.
    pub(crate) path: String,
    /// Where the passage begins in the document's text: what `read` and `similar` want.
    pub(crate) byte_start: usize,
    /// Line of the match in a text; absent for documents that are no text.
    pub(crate) line: Option<usize>,
    /// Page, slide or other part of the document, as in `page 3`.
    pub(crate) place: Option<String>,
    pub(crate) title: String,
    /// Headings above the passage, outermost first.
    pub(crate) heading: String,
    /// A line of the passage around its best match.
    pub(crate) snippet: String,
    /// Larger is better; comparable within one answer only.
    pub(crate) score: f32,
    /// Other documents that hold the same passage.
    pub(crate) also: Vec<String>,
}

/// A part of a document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Read {
    pub(crate) path: String,
    /// In order.
    pub(crate) passages: Vec<Part>,
    /// Whether the document goes on before the first and after the last.
    pub(crate) more_before: bool,
    pub(crate) more_after: bool,
}

/// A passage of a document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Part {
    pub(crate) byte_start: usize,
    pub(crate) line_start: usize,
    pub(crate) place: Option<String>,
    pub(crate) text: String,
}

/// How the index stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Status {
    pub(crate) folders: Vec<Watched>,
    pub(crate) documents: usize,
    pub(crate) passages: usize,
    /// Whether all that is in the folders is indexed, so that what is not found is not there.
    pub(crate) up_to_date: bool,
    /// Files that could not be indexed.
    pub(crate) not_indexed: usize,
    pub(crate) model: String,
}

/// A watched folder.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Watched {
    pub(crate) path: String,
    pub(crate) documents: usize,
    /// Why it cannot be read at present, or nothing in it is indexed.
    pub(crate) problem: Option<String>,
}

impl Answer {
    pub(crate) fn new(thoughts: Vec<String>, timings: Timings, hits: Vec<Hit>) -> Answer {
        Answer {
            thoughts,
            degraded: timings.degraded,
            notes: timings.notes,
            hits: hits.into_iter().map(Found::from).collect(),
        }
    }
}

impl From<Hit> for Found {
    fn from(hit: Hit) -> Found {
        Found {
            line: (!hit.converted).then_some(hit.line),
            place: hit.place.map(|place| place.to_string()),
            path: hit.path,
            byte_start: hit.byte_start,
            title: hit.title,
            heading: hit.heading,
            snippet: hit.snippet,
            score: hit.score,
            also: hit.also,
        }
    }
}

impl Read {
    /// The passage that begins at `byte_start`, or else the last one before it, with `around` on each side.
    pub(crate) fn new(
        path: String,
        passages: Vec<Passage>,
        byte_start: usize,
        around: usize,
    ) -> Read {
        let own =
            passages.iter().rposition(|passage| passage.byte_start <= byte_start).unwrap_or(0);
        let first = own.saturating_sub(around);
        let last = passages.len().min(own + around + 1);
        let (more_before, more_after) = (first > 0, last < passages.len());
        let shown = passages.into_iter().skip(first).take(last - first).map(Part::from).collect();
        Read { path, passages: shown, more_before, more_after }
    }
}

impl From<Passage> for Part {
    fn from(Passage { byte_start, line_start, place, text }: Passage) -> Part {
        Part { byte_start, line_start, place: place.map(|place| place.to_string()), text }
    }
}

impl From<DaemonStatus> for Status {
    fn from(status: DaemonStatus) -> Status {
        let index = status.index;
        let watched = |folder: daemon_protocol::Folder| Watched {
            path: folder.path,
            documents: folder.documents,
            problem: folder.problem,
        };
        Status {
            folders: status.folders.into_iter().map(watched).collect(),
            documents: index.documents,
            passages: index.passages,
            up_to_date: index.phase == Phase::Idle && index.storing.is_none(),
            not_indexed: index.problem_count,
            model: status.model,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_read_as_was_asked_for() {
        let passages = || {
            (0..5).map(|at| Passage {
                byte_start: 10 * at,
                line_start: at + 1,
                place: None,
                text: at.to_string(),
            })
        };
        for (byte_start, around, expected, more) in [
            (20, 1, "123", (true, true)),
            (20, 9, "01234", (false, false)),
            (0, 0, "0", (false, true)),
            (25, 0, "2", (true, true)),
            (999, 1, "34", (true, false)),
        ] {
            let read = Read::new("/a".to_owned(), passages().collect(), byte_start, around);
            let texts: String = read.passages.iter().map(|part| part.text.as_str()).collect();
            assert_eq!((texts.as_str(), (read.more_before, read.more_after)), (expected, more));
        }
        assert!(Read::new("/a".to_owned(), Vec::new(), 7, 2).passages.is_empty());
    }
}
