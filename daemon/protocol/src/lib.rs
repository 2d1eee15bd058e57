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
//! | `read` | `text` or `failed` |
//! | `cancel` | nothing of its own: the ask it names ends in `failed` of kind `cancelled` |
//! | `add`, `remove`, `list` | `folders` or `failed` |
//! | `sync` | `indexing`* while the rescan it starts goes on, then `synced` |
//! | `why_not` | `why` or `failed` |
//! | `status` | `status` |
//! | `reload` | `status` of the newly loaded model, or `failed` |
//! | `subscribe` | `indexing` at once and at every change, with no end; `training` likewise |
//! | `stop` | `closing` |
//!
//! Without anything to wait for (neither reading nor a thought asked for, or no vector to be had)
//! there is no `draft`. The `read` hits are a ranking of all that was read so far, refined as more is.
//!
//! A second `ask` of one session cancels the first: the newest question wins.
//!
//! `training` tells of a `fore train`, which is no client: at once if one is under way, then at
//! most once a second while what it tells changes, and with a null `status` once it has ended.

pub mod client;
pub mod frame;
mod hit;
mod place;
pub mod training;
pub mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use hit::{Hit, Passage, Ranks};
pub use place::{NoPlace, Place};

/// Changes whenever a field below changes meaning; compared for equality in the hello.
pub const PROTOCOL: u32 = 4;

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
    Cancel {
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
}

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub id: u64,
    /// With its filters, as in `valve clearance type:pdf -path:archive`: the daemon takes them out.
    pub text: String,
    /// Most hits wanted.
    pub limit: usize,
    /// How many thoughts; 0 is a search without thinking, absent is the daemon's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<usize>,
    /// How long the first passages may be read, milliseconds; 0 is a search without reading, absent is
    /// the daemon's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_ms: Option<u64>,
    /// Only documents whose absolute path, or path below its watched folder, matches this glob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Daemon to client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The next piece of thought number `index`; pieces of one thought are joined as they are.
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
}

/// A watched folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    pub path: String,
    pub documents: usize,
    pub passages: usize,
    /// Why the folder cannot be read at present, or not be watched, or why nothing in it is indexed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where indexing stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IndexStatus {
    pub phase: Phase,
    /// Documents in the index.
    pub documents: usize,
    pub passages: usize,
    /// Documents of the present round, and how many of them are done.
    pub round_total: usize,
    pub round_done: usize,
    /// Seconds left at the present pace; absent when unknown.
    pub eta_s: Option<u64>,
    /// Files that could not be indexed, newest last, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// Files that could not be indexed, in all.
    pub problem_count: usize,
    /// Why what was found last is not in the index: it cannot be written, and is tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storing: Option<String>,
    /// The model that serves once it has what the one that serves has; absent if there is no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextModel>,
}

/// A model whose vectors are being made while another answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextModel {
    pub model: String,
    /// Documents that it has so far.
    pub documents: usize,
    /// A document that it lacks for a reason that may pass, for which it waits; absent while it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Problem>,
}

/// Most problems one status carries, so that a status stays a small frame.
pub const PROBLEMS_MAX: usize = 20;

/// What the indexer does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    #[default]
    Idle,
    Scanning,
    Encoding,
}

/// A file that could not be indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub path: String,
    pub reason: String,
}

/// The daemon as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonStatus {
    pub version: String,
    pub pid: u32,
    pub uptime_s: u64,
    pub model: String,
    pub fingerprint: String,
    pub device: String,
    /// Resident memory, now and at its peak, in bytes; 0 where the platform does not tell.
    pub memory_bytes: u64,
    pub memory_peak_bytes: u64,
    pub folders: Vec<Folder>,
    /// Documents in the index by the ending of their names, small letters, empty without one; the most
    /// frequent ones, and all others as `…`.
    pub kinds: BTreeMap<String, usize>,
    /// Files in the watched folders that are left out for their kind, likewise.
    pub left_out: BTreeMap<String, usize>,
    pub index: IndexStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingStatus>,
}

/// A fine-tuning run under way, as `fore train` tells of it; also the content of the file by which
/// it tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingStatus {
    pub pid: u32,
    /// Name of the run's folder.
    pub run: String,
    /// What it does, in words for people: `asking`, `training`, `merging` and so on.
    pub stage: String,
    pub done: usize,
    pub total: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_s: Option<f32>,
    /// Newest nDCG@10 on held-out questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ndcg_10: Option<f32>,
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
/// Most thoughts one question may ask for.
pub const THOUGHTS_MAX: usize = 16;

#[cfg(test)]
mod tests;
