//! Documents that are embedded and wait to be committed together. Pure: it is told what time it is.

use std::time::Instant;

use crate::limits::{COMMIT_DOCUMENTS_MAX, COMMIT_PASSAGES_MAX, COMMIT_WAIT_MAX};
use crate::scan::Seen;
use crate::store::Document;

/// See the module.
#[derive(Default)]
pub(super) struct Group {
    documents: Vec<Document>,
    /// Since when the first of them waits.
    since: Option<Instant>,
}

impl Group {
    pub(super) fn add(&mut self, documents: Vec<Document>, now: Instant) {
        if self.documents.is_empty() {
            self.since = Some(now);
        }
        self.documents.extend(documents);
    }

    /// Whether they are as many as one commit takes.
    pub(super) fn is_full(&self) -> bool {
        let passages: usize = self.documents.iter().map(|document| document.passages.len()).sum();
        self.documents.len() >= COMMIT_DOCUMENTS_MAX || passages >= COMMIT_PASSAGES_MAX
    }

    /// Whether they are enough for a commit, or have waited long enough for more of them.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.is_full()
            || self.since.is_some_and(|since| now.duration_since(since) >= COMMIT_WAIT_MAX)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        self.documents.iter().map(|document| document.path.clone())
    }

    /// Whether `path` waits as it is on disk now.
    pub(super) fn holds(&self, path: &str, seen: Seen) -> bool {
        self.documents.iter().any(|document| {
            let stamp = &document.stamp;
            document.path == path
                && stamp.bytes == seen.bytes
                && stamp.changed_ns == seen.changed_ns
        })
    }

    /// Drops `path`, if it is among them; where it is still indexed, if it was moved.
    pub(super) fn abandon(&mut self, path: &str) -> Option<String> {
        let at = self.documents.iter().position(|document| document.path == path)?;
        self.documents.remove(at).moved_from
    }

    /// Where documents are still indexed that were moved.
    pub(super) fn moved_from(&self) -> impl Iterator<Item = &String> {
        self.documents.iter().filter_map(|document| document.moved_from.as_ref())
    }

    /// All of them, which are to be committed now.
    pub(super) fn take(&mut self) -> Vec<Document> {
        self.since = None;
        std::mem::take(&mut self.documents)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::contract::document;

    #[test]
    fn a_group_is_due_when_it_is_large_or_has_waited() {
        let start = Instant::now();
        let of = |passages: usize| document("/a", &vec!["a"; passages], &vec![0; passages]);
        let check = |counts: &[usize], waited, due| {
            let mut group = Group::default();
            for passages in counts {
                group.add(vec![of(*passages)], start);
            }
            assert_eq!(group.is_due(start + waited), due, "{counts:?} after {waited:?}");
            assert_eq!(group.take().len(), counts.len());
            assert!(!group.is_due(start + COMMIT_WAIT_MAX), "none waits");
        };
        let (now, almost) = (Duration::ZERO, COMMIT_WAIT_MAX / 2);
        check(&[], COMMIT_WAIT_MAX, false);
        check(&[1], almost, false);
        check(&[1], COMMIT_WAIT_MAX, true);
        check(&[0; COMMIT_DOCUMENTS_MAX - 1], now, false);
        check(&[0; COMMIT_DOCUMENTS_MAX], now, true);
        check(&[COMMIT_PASSAGES_MAX - 1], now, false);
        check(&[1, COMMIT_PASSAGES_MAX - 1], now, true);
    }

    #[test]
    fn the_first_that_waits_counts() {
        let start = Instant::now();
        let mut group = Group::default();
        let one = || vec![document("/a", &["a"], &[0])];
        group.add(Vec::new(), start);
        group.add(one(), start + COMMIT_WAIT_MAX);
        assert!(!group.is_due(start + COMMIT_WAIT_MAX), "none waited until then");
        group.add(one(), start + COMMIT_WAIT_MAX * 2);
        assert!(group.is_due(start + COMMIT_WAIT_MAX * 2));
    }
}
