//! The folders that the system reports from: those that looks at the disk enter, and no others.
//!
//! A watch follows the folder and not the path, so each is kept with the identity of what was
//! watched; a look that finds another folder there has the watch set anew. What `notify` may have
//! let go by itself, as it does with what is renamed or removed, is set anew as well. All that is
//! to be let go is let go before anything is added: `notify` keeps one path for each folder, and
//! would otherwise release by the old path of a moved folder what is watched by its new one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use notify::{ErrorKind, RecursiveMode};
use tokio_util::sync::CancellationToken;

use super::System;
use crate::scan::{Identity, Reach, root_of};
use crate::walked::Walk;

/// Where the system reports from whole trees it is left to it; inotify reports from one folder.
pub(super) const MODE: RecursiveMode = if cfg!(any(target_os = "linux", target_os = "android")) {
    RecursiveMode::NonRecursive
} else {
    RecursiveMode::Recursive
};

struct Watched {
    identity: Identity,
    /// Whether nothing was heard by which the system may have stopped watching it.
    is_sure: bool,
}

/// See the module. Calls block on the system.
pub(super) struct Held {
    system: System,
    mode: RecursiveMode,
    stop: CancellationToken,
    watched: BTreeMap<PathBuf, Watched>,
    /// The same by identity.
    places: BTreeMap<Identity, PathBuf>,
    /// Roots that the system would not watch.
    denied: BTreeSet<PathBuf>,
}

/// What became of the roots that a walk came by.
#[derive(Default)]
pub(super) struct Followed {
    /// The topmost of the folders that are watched from now on and were not.
    pub(super) gained: BTreeSet<PathBuf>,
    /// For each root whether it is watched whole.
    pub(super) roots: Vec<(PathBuf, notify::Result<()>)>,
}

impl Held {
    pub(super) fn new(system: System, mode: RecursiveMode, stop: CancellationToken) -> Held {
        let (watched, places, denied) = Default::default();
        Held { system, mode, stop, watched, places, denied }
    }

    /// Watches the folders of `walk` that are in `roots`, and no others within its reach.
    pub(super) fn follow(&mut self, walk: &Walk, roots: &[PathBuf]) -> Followed {
        let mut wanted: BTreeMap<&Path, Vec<(&Path, Identity)>> = BTreeMap::new();
        for (folder, identity) in &walk.folders {
            if let Some(root) = root_of(roots, folder)
                && (self.mode == RecursiveMode::NonRecursive || root == folder)
            {
                wanted.entry(root).or_default().push((folder, *identity));
            }
        }
        self.release(self.stale(walk, roots));
        let mut followed = Followed::default();
        for (root, folders) in wanted {
            if self.denied.contains(root) {
                continue;
            }
            let added = self.add(&folders);
            if added.is_err() {
                self.deny(root);
            }
            followed
                .roots
                .push((root.to_owned(), added.map(|gained| followed.gained.extend(gained))));
        }
        followed
    }

    /// Lets go of all of `root`, which is not watched again before [`Held::retry`].
    pub(super) fn deny(&mut self, root: &Path) {
        self.denied.insert(root.to_owned());
        self.release(self.at_or_below(root));
    }

    /// The `roots` that are not watched, from now on to be tried again.
    pub(super) fn retry(&mut self, roots: &[PathBuf]) -> Vec<PathBuf> {
        self.denied.clear();
        roots.iter().filter(|root| !self.watched.contains_key(*root)).cloned().collect()
    }

    /// Lets go of what is in none of `roots`.
    pub(super) fn retain(&mut self, roots: &[PathBuf]) {
        self.denied.retain(|root| roots.contains(root));
        let outside = |path: &&PathBuf| root_of(roots, path).is_none();
        self.release(self.watched.keys().filter(outside).cloned().collect());
    }

    /// What is at `path` or below it may not be watched any more.
    pub(super) fn doubt(&mut self, path: &Path) {
        for path in self.at_or_below(path) {
            if let Some(watched) = self.watched.get_mut(&path) {
                watched.is_sure = false;
            }
        }
    }

    /// Nothing may be watched any more.
    pub(super) fn doubt_all(&mut self) {
        for watched in self.watched.values_mut() {
            watched.is_sure = false;
        }
    }

    /// What is watched and, by what `walk` found, is not to be, or only after it is set anew.
    fn stale(&self, walk: &Walk, roots: &[PathBuf]) -> Vec<PathBuf> {
        let is_gone = |path: &PathBuf| !walk.folders.contains_key(path);
        let mut stale: Vec<PathBuf> = Vec::new();
        match &walk.reach {
            Reach::All => stale.extend(self.watched.keys().filter(|path| is_gone(path)).cloned()),
            Reach::Paths(paths) => {
                for path in paths {
                    // A walk that does not come as far as `path` ended above it.
                    let root = root_of(roots, path).unwrap_or(path);
                    let above = path.ancestors().take_while(|above| above.starts_with(root));
                    let end = above.filter(|above| !walk.folders.contains_key(*above)).last();
                    stale.extend(self.at_or_below(end.unwrap_or(path)).into_iter().filter(is_gone));
                }
            }
        }
        let differs = |(path, identity): &(&PathBuf, &Identity)| {
            let watched = self.watched.get(*path);
            watched.is_some_and(|held| !held.is_sure || held.identity != **identity)
        };
        stale.extend(walk.folders.iter().filter(differs).map(|(path, _)| path.clone()));
        stale
    }

    /// Watches `folders`, parents first; the topmost of those that were not watched.
    fn add(&mut self, folders: &[(&Path, Identity)]) -> notify::Result<Vec<PathBuf>> {
        let mut gained: Vec<PathBuf> = Vec::new();
        for (folder, identity) in folders {
            // A hundred thousand folders take seconds.
            if self.stop.is_cancelled() {
                break;
            }
            if self.watched.contains_key(*folder) || self.is_held_elsewhere(*identity) {
                continue;
            }
            match self.system.watch(folder, self.mode) {
                Ok(()) => {}
                // Removed since, or not to be read: of such a folder there is nothing to report.
                Err(error) if is_of_one_folder(&error) => continue,
                Err(error) => return Err(error),
            }
            self.watched
                .insert((*folder).to_owned(), Watched { identity: *identity, is_sure: true });
            self.places.insert(*identity, (*folder).to_owned());
            if gained.last().is_none_or(|top| !folder.starts_with(top)) {
                gained.push((*folder).to_owned());
            }
        }
        Ok(gained)
    }

    /// Whether the folder is watched by another path, at which it still is, too: that is how a
    /// bind mount looks. By one at which it was, it is let go.
    fn is_held_elsewhere(&mut self, identity: Identity) -> bool {
        let Some(place) = self.places.get(&identity).cloned() else { return false };
        let is_there =
            fs::symlink_metadata(&place).is_ok_and(|found| Identity::of(&found) == identity);
        if !is_there {
            self.release(vec![place]);
        }
        is_there
    }

    fn release(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let Some(watched) = self.watched.remove(&path) else { continue };
            self.places.remove(&watched.identity);
            if let Err(error) = self.system.unwatch(&path) {
                // It knew before us.
                tracing::debug!(%error, "unwatching");
            }
        }
    }

    fn at_or_below(&self, path: &Path) -> Vec<PathBuf> {
        let from = (Bound::Included(path), Bound::Unbounded);
        let after = self.watched.range::<Path, _>(from).map(|(found, _)| found);
        after.take_while(|found| found.starts_with(path)).cloned().collect()
    }
}

fn is_of_one_folder(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::NotADirectory
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tempfile::TempDir;
    use tokio::sync::watch;

    use super::*;
    use crate::patience::Pulse;
    use crate::scan::{self, Scan};
    use crate::tests::harness::{Record, Recorder};
    use crate::walked::Walked;

    /// Folders on disk and what is held of them; the system itself hears of nothing.
    struct Bench {
        top: PathBuf,
        held: Held,
        record: watch::Receiver<Record>,
        room: Arc<AtomicUsize>,
        _dir: TempDir,
    }

    impl Bench {
        fn new(folders: &[&str], mode: RecursiveMode) -> Bench {
            let dir = TempDir::new().unwrap();
            let top = dir.path().canonicalize().unwrap();
            for folder in folders {
                fs::create_dir_all(top.join(folder)).unwrap();
            }
            let room = Arc::new(AtomicUsize::new(usize::MAX));
            let (recorder, record) = Recorder::new(None, &room);
            let held = Held::new(Box::new(recorder), mode, CancellationToken::new());
            Bench { top, held, record, room, _dir: dir }
        }

        fn roots(&self) -> Vec<PathBuf> {
            ["a", "b"].map(|root| self.top.join(root)).to_vec()
        }

        /// What a look finds as far as `names`, or everywhere.
        fn look(&self, names: Option<&[&str]>) -> Walk {
            let paths = names.map(|names| names.iter().map(|name| self.top.join(name)).collect());
            let reach = Arc::new(paths.map_or(Reach::All, Reach::Paths));
            let mut scan: Scan =
                scan::walk(&self.roots(), &reach, &CancellationToken::new(), &Pulse::default());
            let walked = Walked::default();
            walked.put(&mut scan, &reach);
            walked.take().unwrap()
        }

        fn follow(&mut self, names: Option<&[&str]>) -> Vec<String> {
            let (walk, roots) = (self.look(names), self.roots());
            let followed = self.held.follow(&walk, &roots);
            self.named(followed.gained.iter())
        }

        fn watched(&self) -> Vec<String> {
            self.named(self.record.borrow().keys())
        }

        fn named<'a>(&self, paths: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
            paths.map(|path| path.strip_prefix(&self.top).unwrap().display().to_string()).collect()
        }
    }

    #[test]
    fn each_look_adds_what_is_new_and_says_where_to_look_again() {
        let mut bench = Bench::new(&["a/in/deep", "b"], RecursiveMode::NonRecursive);
        assert_eq!(bench.follow(None), ["a", "b"]);
        assert_eq!(bench.watched(), ["a", "a/in", "a/in/deep", "b"]);
        assert!(bench.follow(None).is_empty());
        fs::create_dir_all(bench.top.join("a/new/er")).unwrap();
        fs::create_dir(bench.top.join("b/new")).unwrap();
        assert_eq!(bench.follow(Some(&["a/new"])), ["a/new"], "nobody looked at b");
        assert_eq!(bench.follow(None), ["b/new"]);
        // What may have been let go is watched anew, and only that.
        bench.held.doubt(&bench.top.join("a/in"));
        assert_eq!(bench.follow(Some(&["a/in"])), ["a/in"]);
        bench.held.doubt_all();
        assert_eq!(bench.follow(None), ["a", "b"]);
        // A look that ended above what it was sent for says that it is gone with what is below.
        fs::remove_dir_all(bench.top.join("a/new")).unwrap();
        assert!(bench.follow(Some(&["a/new/er/file.md"])).is_empty());
        assert_eq!(bench.watched(), ["a", "a/in", "a/in/deep", "b", "b/new"]);
        bench.held.retain(&[bench.top.join("b")]);
        assert_eq!(bench.watched(), ["b", "b/new"]);
    }

    #[test]
    fn a_root_that_is_denied_is_let_go_whole_and_tried_again_when_told() {
        let mut bench = Bench::new(&["a/1", "a/2", "a/3", "b/1"], RecursiveMode::NonRecursive);
        bench.room.store(3, Ordering::SeqCst);
        assert_eq!(bench.follow(None), ["b"]);
        assert_eq!(bench.watched(), ["b", "b/1"]);
        bench.room.store(usize::MAX, Ordering::SeqCst);
        assert!(bench.follow(None).is_empty(), "before it is told");
        assert_eq!(bench.held.retry(&bench.roots()), [bench.top.join("a")]);
        assert_eq!(bench.follow(Some(&["a"])), ["a"]);
        assert_eq!(bench.watched().len(), 6);
        assert!(bench.held.retry(&bench.roots()).is_empty());
    }

    #[test]
    fn a_folder_at_two_paths_is_watched_by_one_and_one_that_moved_by_the_new_one() {
        let mut bench = Bench::new(&["a/in", "b"], RecursiveMode::NonRecursive);
        bench.follow(None);
        // As a bind mount of `a/in` would be found.
        let (mut walk, roots) = (bench.look(None), bench.roots());
        let number = walk.folders[&bench.top.join("a/in")];
        walk.folders.insert(bench.top.join("b/same"), number);
        assert!(bench.held.follow(&walk, &roots).gained.is_empty(), "or it would never end");
        assert_eq!(bench.watched(), ["a", "a/in", "b"]);
        // Found at its new path by a look that did not come by the old one.
        fs::rename(bench.top.join("a/in"), bench.top.join("b/out")).unwrap();
        assert_eq!(bench.follow(Some(&["b"])), ["b/out"]);
        assert_eq!(bench.watched(), ["a", "b", "b/out"]);
    }

    #[test]
    fn whole_trees_are_watched_by_their_roots() {
        let mut bench = Bench::new(&["a/in/deep", "b"], RecursiveMode::Recursive);
        assert_eq!(bench.follow(None), ["a", "b"]);
        assert!(bench.follow(Some(&["a/in"])).is_empty());
        assert_eq!(bench.watched(), ["a", "b"]);
        fs::rename(bench.top.join("a"), bench.top.join("away")).unwrap();
        fs::create_dir(bench.top.join("a")).unwrap();
        assert_eq!(bench.follow(None), ["a"]);
    }

    #[test]
    fn a_folder_that_is_not_to_be_watched_by_itself_does_not_deny_its_root() {
        for (error, expected) in [
            (notify::Error::new(ErrorKind::PathNotFound), true),
            (notify::Error::io(io::ErrorKind::PermissionDenied.into()), true),
            (notify::Error::io(io::ErrorKind::NotFound.into()), true),
            (notify::Error::new(ErrorKind::MaxFilesWatch), false),
            (notify::Error::io(io::ErrorKind::OutOfMemory.into()), false),
        ] {
            assert_eq!(is_of_one_folder(&error), expected, "{error}");
        }
    }
}
