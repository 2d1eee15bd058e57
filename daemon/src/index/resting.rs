//! Files that are left alone for a while although they are saved again: one that is written all the
//! time must not keep the model from all others. Pure: it is told what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use crate::limits::REST_PER_PASSAGE;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// Files that were read since they had been saved, each with the end of its rest.
    until: BTreeMap<PathBuf, Instant>,
    /// Those that were saved again meanwhile.
    saved: BTreeSet<PathBuf>,
}

impl Resting {
    /// `path`, which was saved, is read now and has so many passages.
    pub(super) fn begin(&mut self, path: PathBuf, passages: usize, now: Instant) {
        let passages = u32::try_from(passages).unwrap_or(u32::MAX);
        self.until.insert(path, now + REST_PER_PASSAGE.saturating_mul(passages));
    }

    /// The files of `changed` that rest.
    pub(super) fn asleep(&self, changed: &BTreeSet<PathBuf>, now: Instant) -> BTreeSet<PathBuf> {
        let rests = |path: &&PathBuf| self.until.get(*path).is_some_and(|until| *until > now);
        changed.iter().filter(rests).cloned().collect()
    }

    /// The files of `changed` to be looked at: those that do not rest, and those that are gone, which
    /// are to be forgotten at once. The others are remembered.
    pub(super) fn awake(
        &mut self,
        changed: BTreeSet<PathBuf>,
        now: Instant,
        is_there: &dyn Fn(&Path) -> bool,
    ) -> BTreeSet<PathBuf> {
        self.until.retain(|_, until| *until > now);
        let rests = |path: &PathBuf| self.until.contains_key(path) && is_there(path);
        let (resting, awake): (BTreeSet<PathBuf>, _) = changed.into_iter().partition(rests);
        self.saved.extend(resting);
        awake
    }

    /// The files that were saved while they rested, and rest no longer.
    pub(super) fn woken(&mut self, now: Instant) -> BTreeSet<PathBuf> {
        let saved = std::mem::take(&mut self.saved);
        self.awake(saved, now, &|_| true)
    }

    /// When the next of them is to be looked at.
    pub(super) fn next(&self) -> Option<Instant> {
        self.saved.iter().filter_map(|path| self.until.get(path)).min().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_again_waits_as_long_as_it_has_passages() {
        let start = Instant::now();
        let at = |rests: u32| start + REST_PER_PASSAGE * rests;
        let set = |names: &[&str]| names.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let mut resting = Resting::default();
        let there = |path: &Path| path != Path::new("gone");
        let awake =
            |resting: &mut Resting, names: &[&str], now| resting.awake(set(names), now, &there);
        assert_eq!(awake(&mut resting, &["log", "note"], start), set(&["log", "note"]));
        resting.begin("log".into(), 10, start);
        resting.begin("note".into(), 1, start);
        assert_eq!(resting.next(), None, "nothing was saved again");
        resting.begin("gone".into(), 10, start);
        assert_eq!(awake(&mut resting, &["log", "new", "gone"], at(2)), set(&["gone", "new"]));
        assert_eq!(awake(&mut resting, &["log", "note"], at(2)), set(&["note"]));
        assert_eq!(resting.next(), Some(at(10)));
        assert_eq!(resting.woken(at(9)), set(&[]));
        assert_eq!(resting.woken(at(10)), set(&["log"]));
        assert_eq!((resting.next(), resting.woken(at(11))), (None, set(&[])));
        assert_eq!(awake(&mut resting, &["log"], at(11)), set(&["log"]));
    }
}
