//! How far a round has come, and the status that says so.

use std::collections::{BTreeMap, VecDeque};
use std::iter::Sum;
use std::ops::{AddAssign, SubAssign};
use std::time::Instant;

use daemon_protocol::{IndexStatus, PROBLEMS_MAX, Phase, Problem};

use super::refusal::Refusal;
use crate::engine::Catalogue;
use crate::limits::ETA_AFTER;

/// So many files, and what they were in size when they were queued. The whole of a round is counted
/// nowhere: it is what is done, what waits and what is in work, each of which counts itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

impl Tally {
    /// One file.
    pub(super) fn of(bytes: u64) -> Tally {
        Tally { files: 1, bytes }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

impl SubAssign for Tally {
    fn sub_assign(&mut self, other: Tally) {
        self.files -= other.files;
        self.bytes -= other.bytes;
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |mut sum, tally| {
            sum += tally;
            sum
        })
    }
}

/// See the module. A round lasts from one idle moment to the next.
#[derive(Default)]
pub(super) struct Progress {
    started: Option<Instant>,
    done: Tally,
    /// The latest paths that were refused.
    recent: VecDeque<String>,
}

impl Progress {
    /// A look has found what there is to do: the round has begun, if it had not.
    pub(super) fn begin(&mut self) {
        self.started.get_or_insert_with(Instant::now);
    }

    /// Files are finished with, however they ended.
    pub(super) fn done(&mut self, files: Tally) {
        self.done += files;
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

    /// The status while there is so much `left`, waiting or in work.
    pub(super) fn status(
        &self,
        phase: Phase,
        left: Tally,
        catalogue: &Catalogue,
        refused: &BTreeMap<String, Refusal>,
    ) -> IndexStatus {
        let (documents, passages) = catalogue.count();
        IndexStatus {
            phase,
            documents,
            passages,
            round_total: self.done.files + left.files,
            round_done: self.done.files,
            eta_s: self.eta_s(left.bytes),
            problems: self.problems(refused),
            problem_count: refused.len(),
            next: None,
            storing: None,
            waiting: None,
        }
    }

    fn eta_s(&self, bytes_left: u64) -> Option<u64> {
        let elapsed = self.started?.elapsed();
        if elapsed < ETA_AFTER || self.done.bytes == 0 {
            return None;
        }
        let left = bytes_left as f64;
        Some((left / self.done.bytes as f64 * elapsed.as_secs_f64()).ceil() as u64)
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
