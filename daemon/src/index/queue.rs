//! What waits to be read, and in which order: the most urgent first, and no path twice. Pure.
//!
//! Of one urgency, what came last is read first, and what came together in the order it came in.
//! A path that comes again keeps the more urgent of its two places.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Bound;

use super::progress::Tally;
use crate::limits::SMALL_BYTES;

/// A file that may differ from what is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) path: String,
    /// As it was when it was queued; progress is counted by that.
    pub(super) bytes: u64,
}

/// What is embedded first: the latest save, and of that a long file last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Urgency {
    /// Number of the order that said that just this file changed; 0 if a walk found it. A write
    /// within one tick of the clock leaves size and time as they were, so a later rescan may not
    /// take a named file off the queue again.
    save: u64,
    short: bool,
}

impl Urgency {
    /// Of files that a walk found; see [`small_first`].
    const WALKED: Urgency = Urgency { save: 0, short: false };

    /// Of files that order number `save` named, from 1. Taken for short until read.
    fn saved(save: u64) -> Urgency {
        Urgency { save, short: true }
    }

    /// Of a file that turned out to be long: after the others of its save.
    pub(super) fn long(self) -> Urgency {
        Urgency { short: false, ..self }
    }

    pub(super) fn is_saved(self) -> bool {
        self.save > 0
    }

    /// Whether one order named the files of both.
    pub(super) fn is_of_save(self, other: Urgency) -> bool {
        self.save == other.save
    }
}

/// Small files as they come, then the others by size: a log of some megabytes takes hours, for which nothing else could
/// be found.
fn small_first(mut found: Vec<Suspect>) -> Vec<Suspect> {
    found.sort_by_key(|suspect| if suspect.bytes <= SMALL_BYTES { 0 } else { suspect.bytes });
    found
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// None is empty.
    lanes: BTreeMap<Urgency, VecDeque<Suspect>>,
    tally: Tally,
    /// How often something was saved so far: the later, the more urgent.
    saves: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// How many wait, and how large they are together.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// Of what is to be read next.
    pub(super) fn urgency(&self) -> Option<Urgency> {
        self.lanes.last_key_value().map(|(urgency, _)| *urgency)
    }

    /// How many files wait that were named by the order that named those of `urgency`.
    pub(super) fn of_save(&self, urgency: Urgency) -> usize {
        self.lanes.iter().filter(|(of, _)| of.is_of_save(urgency)).map(|(_, lane)| lane.len()).sum()
    }

    /// What one order named, which someone has just saved: it comes before all others.
    pub(super) fn save(&mut self, named: Vec<Suspect>) {
        self.saves += 1;
        self.put(Urgency::saved(self.saves), named);
    }

    /// What a walk of a part of the folders found.
    pub(super) fn add(&mut self, found: Vec<Suspect>) {
        self.put(Urgency::WALKED, small_first(found));
    }

    /// What a walk of all folders found. It finds what others found before again if that still is
    /// to be read, but may not see that a saved file changed: that stays as long as it is there.
    pub(super) fn replace(&mut self, found: Vec<Suspect>, is_there: impl Fn(&str) -> bool) {
        self.retain(|urgency, suspect| urgency.is_saved() && is_there(&suspect.path));
        self.put(Urgency::WALKED, small_first(found));
    }

    /// The first of that urgency.
    pub(super) fn take(&mut self, urgency: Urgency) -> Option<Suspect> {
        let lane = self.lanes.get_mut(&urgency)?;
        let suspect = lane.pop_front()?;
        if lane.is_empty() {
            self.lanes.remove(&urgency);
        }
        self.tally -= Tally::of(suspect.bytes);
        Some(suspect)
    }

    /// Queues `suspects`, or puts back what was taken: it comes before others of its urgency.
    pub(super) fn put(&mut self, urgency: Urgency, suspects: impl IntoIterator<Item = Suspect>) {
        let above = self.lanes.range((Bound::Excluded(urgency), Bound::Unbounded));
        let more_urgent: HashSet<&str> =
            above.flat_map(|(_, lane)| lane).map(|suspect| suspect.path.as_str()).collect();
        let mut paths = HashSet::new();
        let mut suspects: Vec<Suspect> = suspects.into_iter().collect();
        suspects.retain(|suspect| {
            !more_urgent.contains(suspect.path.as_str()) && paths.insert(suspect.path.clone())
        });
        if suspects.is_empty() {
            return;
        }
        self.retain(|_, suspect| !paths.contains(&suspect.path));
        self.tally += suspects.iter().map(|suspect| Tally::of(suspect.bytes)).sum();
        let lane = self.lanes.entry(urgency).or_default();
        for suspect in suspects.into_iter().rev() {
            lane.push_front(suspect);
        }
    }

    fn retain(&mut self, keeps: impl Fn(Urgency, &Suspect) -> bool) {
        let tally = &mut self.tally;
        self.lanes.retain(|urgency, lane| {
            lane.retain(|suspect| {
                let kept = keeps(*urgency, suspect);
                if !kept {
                    *tally -= Tally::of(suspect.bytes);
                }
                kept
            });
            !lane.is_empty()
        });
    }
}

#[cfg(test)]
mod tests;
