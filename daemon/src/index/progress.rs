//! How far a round has come, and the status that says so.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use daemon_protocol::{IndexStatus, PROBLEMS_MAX, Phase, Problem};

use super::Refusal;
use crate::engine::Catalogue;
use crate::limits::ETA_AFTER;

/// See the module. A round lasts from one idle moment to the next.
#[derive(Default)]
pub(super) struct Progress {
    started: Option<Instant>,
    total: usize,
    done: usize,
    bytes_total: u64,
    bytes_done: u64,
    /// The latest paths that were refused.
    recent: VecDeque<String>,
}

impl Progress {
    /// Files were queued.
    pub(super) fn add(&mut self, sizes: impl IntoIterator<Item = u64>) {
        for bytes in sizes {
            self.total += 1;
            self.bytes_total += bytes;
        }
        self.started.get_or_insert_with(Instant::now);
    }

    /// Files were taken off the queue without being looked at.
    pub(super) fn withdraw(&mut self, sizes: impl IntoIterator<Item = u64>) {
        for bytes in sizes {
            self.total = self.total.saturating_sub(1);
            self.bytes_total = self.bytes_total.saturating_sub(bytes);
        }
    }

    /// A file is finished with, however it ended.
    pub(super) fn done(&mut self, bytes: u64) {
        self.done += 1;
        self.bytes_done += bytes;
    }

    pub(super) fn problem(&mut self, path: &str) {
        self.recent.retain(|held| held != path);
        self.recent.push_back(path.to_owned());
        if self.recent.len() > PROBLEMS_MAX {
            self.recent.pop_front();
        }
    }

    /// The round has ended.
    pub(super) fn rest(&mut self) {
        let recent = std::mem::take(&mut self.recent);
        *self = Progress { recent, ..Progress::default() };
    }

    pub(super) fn status(
        &self,
        phase: Phase,
        catalogue: &Catalogue,
        refused: &BTreeMap<String, Refusal>,
    ) -> IndexStatus {
        let (documents, passages) = catalogue.count();
        IndexStatus {
            phase,
            documents,
            passages,
            round_total: self.total,
            round_done: self.done,
            eta_s: self.eta_s(),
            problems: self.problems(refused),
            problem_count: refused.len(),
        }
    }

    fn eta_s(&self) -> Option<u64> {
        let elapsed = self.started?.elapsed();
        if elapsed < ETA_AFTER || self.bytes_done == 0 {
            return None;
        }
        let left = self.bytes_total.saturating_sub(self.bytes_done) as f64;
        Some((left / self.bytes_done as f64 * elapsed.as_secs_f64()).ceil() as u64)
    }

    /// The latest problems that still are, older ones first to fill up.
    fn problems(&self, refused: &BTreeMap<String, Refusal>) -> Vec<Problem> {
        let recent: Vec<&String> =
            self.recent.iter().filter(|path| refused.contains_key(*path)).collect();
        let older = refused.keys().filter(|path| !recent.contains(path));
        let paths = older.take(PROBLEMS_MAX - recent.len()).chain(recent.iter().copied());
        paths
            .filter_map(|path| {
                let reason = refused.get(path)?.reason.clone();
                Some(Problem { path: path.clone(), reason })
            })
            .collect()
    }
}
