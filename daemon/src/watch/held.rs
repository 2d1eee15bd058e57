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

use super::System;
use super::walked::Walk;
use crate::scan::{Identity, Reach, root_of};

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
    pub(super) fn new(system: System, mode: RecursiveMode) -> Held {
        let (watched, places, denied) = Default::default();
        Held { system, mode, watched, places, denied }
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
