//! The wire between `fore` and its daemon; this comment is the specification.
//!
//! One JSON object per line over a Unix socket, each line at most [`frame::FRAME_BYTES_MAX`]
//! bytes. The first line each way is a hello that carries [`PROTOCOL`]; the daemon answers a
//! client of another protocol with its own hello and closes, and the client decides what to do.
//! Every request has an `id` of the client's choosing, and every event that answers it carries the
//! same `id`. Three come unasked: `indexing` and `training`, after a `subscribe`, and `closing`.
//!
//! | request | answered by |
//! | --- | --- |
//! | `ask` | `hits` (stage `draft`), `hits`* (stage `read`), `thought`*, `hits` (stage `final`), then `done` or `failed` |
//! | `enough` | nothing of its own: the ask it names reads and thinks no more, and ends in `hits` (stage `final`) and `done` |
//! | `cancel` | nothing of its own: the ask it names ends in `failed` of kind `cancelled` |
//! | `similar` | `hits` (stage `final`), then `done`; or `failed` |
//! | `mark` | `marked` or `failed` |
//! | `marks` | `marks`*, the last of which says that there are no `more` |
//! | `read` | `text` or `failed` |
//! | `add`, `remove`, `list` | `folders` or `failed` |
//! | `sync` | `indexing`* while the rescan it starts goes on, then `synced` |
//! | `why_not` | `why` or `failed` |
//! | `status` | `status` |
//! | `reload` | `status` of the newly loaded model, or `failed` |
//! | `subscribe` | `indexing` at once and at every change, with no end; `training` likewise |
//! | `stop` | `closing` |
//! | `pause`, `resume` | `status`, whose `waiting` says so, or `failed` |
//!
//! Without anything to wait for (neither reading nor a thought asked for, or no vector to be had)
//! there is no `draft`. The `read` hits are a ranking of all that was read so far, refined as more is.
//!
//! A second `ask` of one session cancels the first: the newest question wins. An `enough` for one that is over, or
//! was never asked, is no error, and neither is a `cancel`.
//!
//! Thoughts may be `given` in an `ask`, as a person wrote or kept them: the question is embedded with them as with
//! those of the model, of which there are then only as many as `thoughts` says.
//!
//! A `mark` says that a passage is a right or a wrong answer to a question. The daemon keeps the newest
//! [`MARKS_MAX`]; hits of the question tell what is `marked`.
//!
//! `training` tells of a `fore train`, which is no client: at once if one is under way, then at
//! most once a second while what it tells changes, and with a null `status` once it has ended.

pub mod client;
pub mod frame;
mod hit;
mod mark;
mod place;
mod status;
pub mod training;
pub mod version;

use serde::{Deserialize, Serialize};

pub use hit::{Hit, Passage, Ranks, Scores};
pub use mark::Mark;
pub use place::{NoPlace, Place};
pub use status::{
    DaemonStatus, Folder, IndexStatus, NextModel, PROBLEMS_MAX, Phase, Problem, TrainingStatus,
};

/// Changes whenever a field below changes meaning; compared for equality in the hello.
pub const PROTOCOL: u32 = 5;

/// First line each way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    /// Program version: a client that starts daemons replaces an older one. See [`version`].
    pub version: String,
    /// Process id of the sender.
    pub pid: u32,
}

/// Client to daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    Ask(Ask),
    /// The passages of a document around the one that begins at `byte_start`, as they are indexed.
    Read {
        id: u64,
        path: String,
        byte_start: usize,
    },
    /// The ask of that number is to be answered by what has been read and thought so far.
    Enough {
        id: u64,
    },
    Cancel {
        id: u64,
    },
    /// Passages like the one of the document at `path` that begins at `byte_start`, by its own vector; not itself,
    /// nor copies of it.
    Similar {
        id: u64,
        path: String,
        byte_start: usize,
        limit: usize,
    },
    /// Whether the passage at these bytes is a right answer to `question`; absent takes the mark back.
    Mark {
        id: u64,
        question: String,
        path: String,
        byte_start: usize,
        byte_end: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        right: Option<bool>,
    },
    Marks {
        id: u64,
    },
    Add {
        id: u64,
        path: String,
    },
    Remove {
        id: u64,
        path: String,
    },
    List {
        id: u64,
    },
    /// What became of a file, in words; with a question, also where the file drops out of the answer to it.
    WhyNot {
        id: u64,
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        question: Option<String>,
    },
    /// `full` has each file read, even if its size and time say that it is as it was.
    Sync {
        id: u64,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        full: bool,
    },
    Status {
        id: u64,
    },
    Reload {
        id: u64,
    },
    Subscribe {
        id: u64,
    },
    Stop {
        id: u64,
    },
    /// Nothing is read or embedded for so many seconds, or until `resume` without them, beyond a restart too. What is
    /// deleted is still forgotten.
    Pause {
        id: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    Resume {
        id: u64,
    },
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub id: u64,
    /// With its filters, as in `valve clearance type:pdf -path:archive`: the daemon takes them out.
    pub text: String,
    /// Most hits wanted.
    pub limit: usize,
    /// How many thoughts the model is to have; 0 is a search without its thinking, absent is the daemon's setting,
    /// or 0 if thoughts are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<usize>,
    /// How long the first passages may be read, milliseconds; 0 is a search without reading, absent is
    /// the daemon's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_ms: Option<u64>,
    /// Only documents whose absolute path, or path below its watched folder, matches this glob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Thoughts to search with, the first in number; with `thoughts` at most [`THOUGHTS_MAX`], none empty, each of at
    /// most [`GIVEN_CHARS_MAX`] characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
}

/// Daemon to client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The next piece of thought number `index`, counted after those that were given; pieces of one thought are
    /// joined as they are.
    Thought {
        id: u64,
        index: usize,
        delta: String,
    },
    /// Best first, save that passages come last of which three better ones are from the same
    /// document. Copies of a passage in several documents are one hit.
    Hits {
        id: u64,
        stage: Stage,
        hits: Vec<Hit>,
    },
    Done {
        id: u64,
        timings: Timings,
    },
    /// Passages in order, at most [`READ_BYTES_MAX`] bytes of text on each side of the one asked for.
    Text {
        id: u64,
        path: String,
        passages: Vec<Passage>,
    },
    /// The mark as it is kept; absent once it is taken back.
    Marked {
        id: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
    },
    /// Some of all marks, the oldest first.
    Marks {
        id: u64,
        marks: Vec<Mark>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
    Folders {
        id: u64,
        folders: Vec<Folder>,
    },
    Why {
        id: u64,
        reason: String,
    },
    Synced {
        id: u64,
        status: IndexStatus,
    },
    Status {
        id: u64,
        status: Box<DaemonStatus>,
    },
    Failed {
        id: u64,
        error: Failure,
    },
    Indexing {
        status: IndexStatus,
    },
    /// Absent once no run is under way any more.
    Training {
        status: Option<TrainingStatus>,
    },
    Closing {
        reason: String,
    },
}

/// What hits were ranked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Searching alone: on screen while the model still reads and thinks.
    Draft,
    /// Reading some of the first.
    Read,
    /// Everything.
    Final,
}

/// Milliseconds spent on an ask.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timings {
    /// From the ask to the draft hits.
    pub draft_ms: u64,
    /// Reading, and how many passages were read.
    pub read_ms: u64,
    pub passages_read: usize,
    /// From the ask to the first thought token; absent if there was none.
    pub first_token_ms: Option<u64>,
    pub think_ms: u64,
    pub thought_tokens: usize,
    /// From the last thought token to the final hits.
    pub rank_ms: u64,
    pub total_ms: u64,
    /// Why something that was asked for is not in the answer: thoughts, or what reading makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
    /// How the question was understood, where that may not be what was meant: a filter that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: ErrorKind,
    pub message: String,
    /// What the person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Classes of failure, so that a client can choose what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request makes no sense; asking again will not help.
    Invalid,
    /// Too many asks at once; try again.
    Busy,
    /// Superseded by a newer question, or cancelled.
    Cancelled,
    /// The daemon's fault.
    Internal,
}

/// Longest question in characters; longer ones are refused rather than silently cut.
pub const QUESTION_CHARS_MAX: usize = 8_192;
/// Most hits one answer may hold, so that an answer fits one frame.
pub const LIMIT_MAX: usize = 100;
/// Bytes of text before, and again from, the passage that a `read` asks for: escaped, they fit one frame.
pub const READ_BYTES_MAX: usize = 64 << 10;
/// Longest time that one question may ask to read for, milliseconds: fifty passages take ten seconds on
/// two slow cores.
pub const READ_MS_MAX: u64 = 60_000;
/// Most words of a question that a hit says of whether the passage has them, so that an answer fits one frame.
pub const EXPLAINED_WORDS_MAX: usize = 16;
/// Most thoughts one question may ask for, those that are given counted.
pub const THOUGHTS_MAX: usize = 16;
/// Longest thought that may be given, in characters: many times what the model thinks, and more would not be embedded.
pub const GIVEN_CHARS_MAX: usize = 4_096;
/// Marks that are kept, the newest: a person who marks ten passages a day fills this in a year and a half.
pub const MARKS_MAX: usize = 5_000;
/// Longest question whose passages can be marked, in characters: people type shorter ones, and many are kept.
pub const MARK_QUESTION_CHARS_MAX: usize = 1_024;

#[cfg(test)]
mod tests;
