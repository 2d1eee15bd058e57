//! How the daemon and its index stand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
