//! Changed paths, and when they are to be looked at. Pure: it is told what time it is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::time::Instant;

use super::told::Told;
use crate::limits::{CHANGED_PATHS_MAX, SETTLE_MAX, SETTLE_QUIET, SETTLE_WHOLE};

/// What was told of a path.
#[derive(Default)]
pub(super) struct Change {
    /// Whether any of it was [`Told::is_other`].
    pub(super) is_other: bool,
    /// Whether the last of it was [`Told::is_whole`].
    is_whole: bool,
}

/// See the module.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) paths: BTreeMap<PathBuf, Change>,
    /// How many of them are not whole.
    open: usize,
    /// When the first and the last change came.
    since: Option<(Instant, Instant)>,
}

impl Pending {
    /// Takes what was told; false if there are too many paths, and none is known any more.
    pub(super) fn add(&mut self, told: Told, now: Instant) -> bool {
        self.extend(now);
        let change = self.paths.entry(told.path).or_insert_with(|| {
            self.open += 1;
            Change::default()
        });
        match (change.is_whole, told.is_whole) {
            (false, true) => self.open -= 1,
            (true, false) => self.open += 1,
            _ => {}
        }
        change.is_other |= told.is_other;
        change.is_whole = told.is_whole;
        let has_room = self.paths.len() <= CHANGED_PATHS_MAX;
        if !has_room {
            self.paths.clear();
            // What was lost may be in the middle of anything.
            self.open = 1;
        }
        has_room
    }

    /// Something changed, of which no more is known.
    pub(super) fn extend(&mut self, now: Instant) {
        self.since = Some((self.since.map_or(now, |(first, _)| first), now));
    }

    /// A moment to look: when it has been quiet, or has gone on for long enough. `None` if nothing changed.
    pub(super) fn settled_at(&self) -> Option<Instant> {
        let (first, last) = self.since?;
        let is_whole = self.open == 0 && !self.paths.is_empty();
        let quiet = if is_whole { SETTLE_WHOLE } else { SETTLE_QUIET };
        Some((last + quiet).min(first + SETTLE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(path: &str, is_whole: bool) -> Told {
        Told { path: path.into(), is_other: false, is_whole }
    }

    #[test]
    fn changes_settle_when_quiet_or_after_two_seconds() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(Pending::default().settled_at(), None);
        for (is_whole, last, expected) in [
            (false, 0, 300),
            (false, 1000, 1300),
            (false, 1700, 2000),
            (false, 1999, 2000),
            (true, 0, 50),
            (true, 1000, 1050),
            (true, 1999, 2000),
        ] {
            let mut pending = Pending::default();
            for ms in [0, last] {
                assert!(pending.add(told("/a", is_whole), at(ms)));
            }
            assert_eq!(pending.settled_at(), Some(at(expected)), "last change at {last} ms");
        }
    }

    #[test]
    fn every_path_must_be_whole_at_last() {
        let now = Instant::now();
        for (changes, quiet) in [
            (&[("/a", false), ("/a", true)][..], SETTLE_WHOLE),
            (&[("/a", true), ("/a", false)], SETTLE_QUIET),
            (&[("/a", true), ("/b", false)], SETTLE_QUIET),
            (&[("/a", true), ("/b", false), ("/b", true)], SETTLE_WHOLE),
            (&[("/a", true), ("/a", true), ("/b", true)], SETTLE_WHOLE),
            (&[("/a", false), ("/a", false), ("/a", true)], SETTLE_WHOLE),
        ] {
            let mut pending = Pending::default();
            for (path, is_whole) in changes {
                assert!(pending.add(told(path, *is_whole), now));
            }
            assert_eq!(pending.settled_at(), Some(now + quiet), "{changes:?}");
        }
    }

    #[test]
    fn what_is_lost_is_waited_for() {
        let now = Instant::now();
        let mut pending = Pending::default();
        pending.extend(now);
        assert_eq!(pending.settled_at(), Some(now + SETTLE_QUIET));
        for number in 0..CHANGED_PATHS_MAX {
            assert!(pending.add(told(&format!("/{number}"), true), now));
        }
        assert!(!pending.add(told("/one more", true), now));
        assert!(pending.paths.is_empty());
        assert_eq!(pending.settled_at(), Some(now + SETTLE_QUIET));
    }
}
