//! The folders that looks at the disk entered -> the watcher: one slot that later looks are merged
//! into, since neither the indexer nor the watcher waits for the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::limits::CHANGED_PATHS_MAX;
use crate::scan::{self, Identity, Reach, Scan};

/// What a look, or several, found of folders.
#[derive(Debug)]
pub(crate) struct Walk {
    /// Where a folder that is not among `folders` is none that is walked.
    pub(crate) reach: Reach,
    pub(crate) folders: BTreeMap<PathBuf, Identity>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Walked {
    slot: Mutex<Option<Walk>>,
    arrived: Notify,
}

impl Walked {
    /// Hands over the folders of `scan`, which went as far as `reach`.
    pub(crate) fn put(&self, scan: &mut Scan, reach: &Reach) {
        let reach = match reach {
            // What it did not find may be there all the same.
            _ if scan.uncertain => Reach::Paths(BTreeSet::new()),
            Reach::All => Reach::All,
            Reach::Paths(paths) => Reach::Paths(paths.clone()),
        };
        let later = Walk { reach, folders: std::mem::take(&mut scan.folders) };
        let mut slot = self.lock();
        match slot.as_mut() {
            Some(walk) => walk.merge(later),
            None => *slot = Some(later),
        }
        drop(slot);
        self.arrived.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Walk> {
        self.lock().take()
    }

    /// Returns when there may be something to take.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Walk>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk {
    fn merge(&mut self, later: Walk) {
        self.folders.retain(|folder, _| !scan::within(&later.reach, folder));
        self.folders.extend(later.folders);
        match (&mut self.reach, later.reach) {
            (Reach::All, _) => {}
            (reach, Reach::All) => *reach = Reach::All,
            // What is past the limit stays watched until the next look at all folders: that is a
            // watch too many, and none too few.
            (Reach::Paths(paths), Reach::Paths(more)) => {
                let room = CHANGED_PATHS_MAX.saturating_sub(paths.len());
                paths.extend(more.into_iter().take(room));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::patience::Pulse;

    #[test]
    fn looks_that_nobody_took_are_one() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let look = |walked: &Walked, reach: Reach, is_uncertain: bool| {
            let roots = std::slice::from_ref(&root);
            let reach = Arc::new(reach);
            let mut scan = scan::walk(roots, &reach, &CancellationToken::new(), &Pulse::default());
            scan.uncertain = is_uncertain;
            walked.put(&mut scan, &reach);
        };
        let paths =
            |names: &[&str]| Reach::Paths(names.iter().map(|name| root.join(name)).collect());
        let names = |walk: &Walk| -> Vec<String> {
            let below = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
            walk.folders.keys().map(|path| below(path)).collect()
        };

        let walked = Walked::default();
        assert!(walked.take().is_none());
        for folder in ["a/b", "c", "d"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        look(&walked, Reach::All, false);
        fs::remove_dir(root.join("a/b")).unwrap();
        fs::remove_dir(root.join("c")).unwrap();
        fs::create_dir(root.join("a/e")).unwrap();
        look(&walked, paths(&["a", "a/b"]), false);
        look(&walked, paths(&["c"]), true);
        let walk = walked.take().unwrap();
        assert_eq!(names(&walk), ["", "a", "a/e", "c", "d"], "c is not known to be gone");
        assert!(matches!(walk.reach, Reach::All));

        look(&walked, paths(&["a/e"]), false);
        look(&walked, paths(&["d"]), false);
        let walk = walked.take().unwrap();
        assert_eq!(names(&walk), ["", "a", "a/e", "d"]);
        assert!(matches!(walk.reach, Reach::Paths(reach) if reach.len() == 2));
        assert!(walked.take().is_none());
    }
}
