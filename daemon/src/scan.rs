//! What is on disk now, and how that differs from what is indexed.
//!
//! One walk serves both a rescan and a check of a few changed paths: the check walks from the
//! watched folder too, but only towards those paths, so ignore rules mean the same in both.
//! Symbolic links are not followed: no loops, and nothing outside a watched folder is read.

mod nothing;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::Gitignore;
use ignore::{DirEntry, Match, WalkBuilder};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::edition::is_of_now;
use crate::engine::at_or_below;
use crate::extract;
use crate::patience::Pulse;
use crate::store::{Known, Stamp};
use nothing::{PassedOver, count_ignored};

/// Files that say what to ignore; a change of one may concern all files beside and below it.
pub(crate) const RULE_FILES: [&str; 2] = [".gitignore", ".ignore"];

/// Size and time of a file, which tell whether it may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub bytes: u64,
    /// When its content and when its status changed, nanoseconds since 1970, added: other than either.
    /// The first alone is what `touch -r`, `cp -p` and `rsync -t` set to what it was; nobody can set
    /// the second, and a rename moves it, but old FAT drivers do not keep it.
    pub changed_ns: i64,
    /// When its content changed, as far as it says: nanoseconds since 1970.
    pub written_ns: i64,
}

impl Seen {
    pub fn of(metadata: &Metadata) -> Seen {
        let ns = |seconds: i64, ns: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(ns);
        let content = ns(metadata.mtime(), metadata.mtime_nsec());
        let status = ns(metadata.ctime(), metadata.ctime_nsec());
        let changed_ns = content.wrapping_add(status);
        Seen { bytes: metadata.len(), changed_ns, written_ns: content }
    }
}

/// Which folder is at a path: while a drive is not mounted, it is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub fn of(metadata: &Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// A watched folder as a walk found it.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    pub identity: Identity,
    pub is_empty: bool,
}

impl Root {
    fn look(path: &Path) -> io::Result<Root> {
        let identity = Identity::of(&fs::metadata(path)?);
        Ok(Root { identity, is_empty: fs::read_dir(path)?.next().is_none() })
    }
}

/// Which part of the watched folders a walk looks at.
#[derive(Debug)]
pub enum Reach {
    All,
    /// Only these paths and what is below them.
    Paths(BTreeSet<PathBuf>),
}

impl Reach {
    /// The reach of a set of changed paths.
    pub fn of_changes(changed: BTreeSet<PathBuf>) -> Reach {
        let paths = changed
            .into_iter()
            .map(|path| if is_rule_file(&path) { parent_or_self(&path) } else { path })
            .collect();
        Reach::Paths(paths)
    }

    /// Whether there is anything to look at in the watched folder `root`.
    pub fn concerns(&self, root: &Path) -> bool {
        match self {
            Reach::All => true,
            Reach::Paths(paths) => paths.iter().any(|path| path.starts_with(root)),
        }
    }
}

/// The watched folder that `path` is in; no watched folder is in another.
pub fn root_of<'a>(roots: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    roots.iter().find(|root| path.starts_with(root)).map(PathBuf::as_path)
}

/// Whether `path` is worth a look when it changes: not something hidden below `root`.
pub fn is_relevant(root: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    let visible = if is_rule_file(path) { below.parent().unwrap_or(below) } else { below };
    !visible.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}

fn is_rule_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| RULE_FILES.iter().any(|rule| name == *rule))
}

fn parent_or_self(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// What a walk saw.
#[derive(Debug, Default)]
pub struct Scan {
    /// The watched folders that were walked.
    pub roots: BTreeMap<PathBuf, Root>,
    /// The folders that the walk entered, those on the way to its reach among them.
    pub folders: BTreeMap<PathBuf, Identity>,
    /// Files worth opening, by absolute path.
    pub files: BTreeMap<String, Seen>,
    /// What was passed over in the watched folders that were walked whole.
    pub passed_over: BTreeMap<PathBuf, PassedOver>,
    /// How many files are of a kind that is not read, by the ending of their names.
    pub left_out: BTreeMap<String, usize>,
    /// Folders and files that could not be looked at, with the reason. What is indexed at or
    /// below them stays: an unmounted drive must not cost its index.
    pub unreadable: BTreeMap<String, String>,
    /// Names that cannot be stored, shown lossily.
    pub unnamed: Vec<String>,
    /// An error did not say where: nothing may be deleted on this walk's word.
    pub uncertain: bool,
}

/// Walks `roots` as far as `reach` goes. Blocks; ends early once `stop` is cancelled, and is
/// uncertain then.
pub fn walk(
    roots: &[PathBuf],
    reach: &Arc<Reach>,
    stop: &CancellationToken,
    pulse: &Pulse,
) -> Scan {
    let mut scan = Scan::default();
    for root in roots.iter().filter(|root| reach.concerns(root)) {
        let before = pulse.at(root).and_then(|()| Root::look(root));
        let (held, mut passed_over) = (scan.files.len(), PassedOver::default());
        if before.is_ok() {
            for entry in walker(root, reach).build() {
                if stop.is_cancelled() {
                    scan.uncertain = true;
                    return scan;
                }
                pulse.beat();
                passed_over.take(&entry);
                scan.take(entry);
            }
        }
        match before.and_then(|before| Ok((before, Root::look(root)?))) {
            Ok((before, after)) => {
                // A drive was mounted or unmounted while we walked.
                scan.uncertain |= before.identity != after.identity;
                scan.folders.insert(root.clone(), after.identity);
                if matches!(**reach, Reach::All) {
                    if scan.files.len() == held {
                        passed_over.ignored = count_ignored(root);
                    }
                    scan.passed_over.insert(root.clone(), passed_over);
                }
                scan.roots.insert(root.clone(), after);
            }
            Err(error) => scan.keep(root, &format!("cannot be read: {error}")),
        }
    }
    scan
}

fn walker(root: &Path, reach: &Arc<Reach>) -> WalkBuilder {
    // Inside a repository git's own rule holds: ignore files count up to the repository's top.
    // Elsewhere they count from the watched folder down, so that a stray one far above it cannot
    // hide all of it, and so they do in a folder that its repository ignores: it was named all the same.
    let in_repository = root.ancestors().any(is_repository) && !is_ignored_above(root);
    let mut builder = WalkBuilder::new(root);
    builder.follow_links(false).hidden(true).require_git(in_repository).parents(in_repository);
    if let Reach::Paths(paths) = &**reach {
        let towards: HashSet<PathBuf> =
            paths.iter().flat_map(|path| path.ancestors()).map(Path::to_owned).collect();
        let reach = Arc::clone(reach);
        builder.filter_entry(move |entry| {
            towards.contains(entry.path()) || within(&reach, entry.path())
        });
    }
    builder
}

fn is_repository(folder: &Path) -> bool {
    folder.join(".git").exists()
}

/// Whether the repository around the folder `root` ignores it as a whole, as one of settings at `~` does
/// whose rule is `*`. The nearest rule that speaks of it decides.
fn is_ignored_above(root: &Path) -> bool {
    if is_repository(root) {
        return false;
    }
    let mut rule = Match::None;
    for folder in root.ancestors().skip(1) {
        // The last of them has the first word.
        for name in RULE_FILES.iter().rev() {
            let (rules, _) = Gitignore::new(folder.join(name));
            rule = rule.or(rules.matched_path_or_any_parents(root, true).map(|_| ()));
        }
        if is_repository(folder) {
            break;
        }
    }
    rule.is_ignore()
}

/// Whether `path` is in the reach, not only on the way to it.
pub fn within(reach: &Reach, path: &Path) -> bool {
    match reach {
        Reach::All => true,
        Reach::Paths(paths) => path.ancestors().any(|ancestor| paths.contains(ancestor)),
    }
}

impl Scan {
    /// Takes what another walk saw, of other folders.
    pub fn merge(&mut self, other: Scan) {
        let Scan { roots, folders, files, passed_over, left_out, unreadable, unnamed, uncertain } =
            other;
        self.roots.extend(roots);
        self.folders.extend(folders);
        self.passed_over.extend(passed_over);
        self.files.extend(files);
        for (kind, count) in left_out {
            *self.left_out.entry(kind).or_default() += count;
        }
        self.unreadable.extend(unreadable);
        self.unnamed.extend(unnamed);
        self.uncertain |= uncertain;
    }

    /// Leaves what is indexed of the watched folder `root` as it is, for `reason`.
    pub fn keep(&mut self, root: &Path, reason: &str) {
        self.unreadable.insert(root.to_string_lossy().into_owned(), kept(reason));
    }

    fn take(&mut self, entry: Result<DirEntry, ignore::Error>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return self.take_error(&error),
        };
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            return self.take_folder(&entry);
        }
        if !kind.is_file() {
            return;
        }
        if !extract::is_candidate(entry.path()) {
            *self.left_out.entry(extract::extension(entry.path())).or_default() += 1;
            return;
        }
        let Some(path) = entry.path().to_str().map(str::to_owned) else {
            self.unnamed.push(entry.path().to_string_lossy().into_owned());
            return;
        };
        match entry.metadata() {
            Ok(metadata) => drop(self.files.insert(path, Seen::of(&metadata))),
            Err(error) => self.take_error(&error),
        }
    }

    fn take_folder(&mut self, entry: &DirEntry) {
        match entry.metadata() {
            Ok(metadata) => {
                self.folders.insert(entry.path().to_owned(), Identity::of(&metadata));
            }
            Err(error) => self.take_error(&error),
        }
    }

    fn take_error(&mut self, error: &ignore::Error) {
        let vanished = |io: &io::Error| io.kind() == io::ErrorKind::NotFound;
        match (place(error), error.io_error()) {
            // Deleted while we walked: the diff will say so, now or at the next event.
            (_, Some(io)) if vanished(io) => {}
            (Some(path), io) => {
                let reason =
                    io.map_or_else(|| error.to_string(), |io| format!("cannot be read: {io}"));
                self.unreadable.insert(path.to_string_lossy().into_owned(), reason);
            }
            (None, _) => self.uncertain = true,
        }
    }

    /// Files that are new, or differ from what is known of them in size or time, or are read in another way by now.
    pub fn differing<'a>(
        &'a self,
        known: &'a BTreeMap<String, Known>,
    ) -> impl Iterator<Item = (&'a String, Seen)> {
        self.files.iter().filter_map(|(path, seen)| {
            let same = known.get(path).is_some_and(|known| {
                let Stamp { bytes, changed_ns, hash, .. } = &known.stamp;
                *bytes == seen.bytes && *changed_ns == seen.changed_ns && is_of_now(hash)
            });
            (!same).then_some((path, *seen))
        })
    }

    /// Entries of `known` within `reach` that are no longer there.
    pub fn gone<T>(&self, known: &BTreeMap<String, T>, reach: &Reach) -> Vec<String> {
        if self.uncertain {
            return Vec::new();
        }
        let missing = |path: &&String| {
            !self.files.contains_key(*path)
                && !Path::new(path)
                    .ancestors()
                    .any(|above| above.to_str().is_some_and(|a| self.unreadable.contains_key(a)))
        };
        match reach {
            Reach::All => known.keys().filter(missing).cloned().collect(),
            Reach::Paths(paths) => paths
                .iter()
                .filter_map(|path| path.to_str())
                .flat_map(|path| at_or_below(known, path).map(|(path, _)| path))
                .filter(missing)
                .cloned()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }
    }
}

/// Why a watched folder is not looked at, and what that means for its index.
pub fn kept(reason: &str) -> String {
    format!("{reason}; what is indexed of it is kept until it is back or removed")
}

/// The path an error of the walk is about.
fn place(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            place(err)
        }
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
