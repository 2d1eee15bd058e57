//! What the system reports about the watched folders -> settled sets of changed paths.
//!
//! Nothing is concluded from the kind of an event, only that a path deserves a look; whatever is
//! lost on the way (a full queue, an error) becomes a rescan. A folder that cannot be watched is
//! marked as such, found by the periodic rescan, and tried again from time to time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits::{
    CHANGED_PATHS_MAX, FOLDERS_MAX, REWATCH_INTERVAL, SETTLE_MAX, SETTLE_QUIET, WATCH_EVENTS_MAX,
};
use crate::mailbox::Cause;
use crate::scan;
use crate::shared::Shared;

/// Set when something was lost.
#[derive(Default)]
struct Lost {
    flag: AtomicBool,
    set: Notify,
    /// Folders, new ones as a rule, that could not be watched, and why.
    unwatched: Mutex<Vec<(PathBuf, String)>>,
}

impl Lost {
    fn unwatched(&self) -> MutexGuard<'_, Vec<(PathBuf, String)>> {
        self.unwatched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See the module.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    stop: CancellationToken,
    /// `None` if the system has no watcher to give, or while it is lent to a blocking call.
    watcher: Option<RecommendedWatcher>,
    /// Folders that are watched whole.
    watched: BTreeSet<PathBuf>,
    roots: watch::Receiver<Vec<PathBuf>>,
    events: mpsc::Receiver<PathBuf>,
    lost: Arc<Lost>,
    pending: BTreeSet<PathBuf>,
    /// When the first and the last of `pending` came.
    since: Option<(Instant, Instant)>,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Watch {
        let (sender, events) = mpsc::channel(WATCH_EVENTS_MAX);
        let lost = Arc::new(Lost::default());
        let told = Arc::clone(&lost);
        let config = Config::default().with_follow_symlinks(false);
        let watcher = RecommendedWatcher::new(move |event| report(event, &sender, &told), config);
        let watcher =
            watcher.inspect_err(|error| tracing::warn!(%error, "folders cannot be watched")).ok();
        Watch {
            roots: shared.folders.subscribe(),
            shared,
            stop,
            watcher,
            watched: BTreeSet::new(),
            events,
            lost,
            pending: BTreeSet::new(),
            since: None,
        }
    }

    /// Runs until stopped.
    pub(crate) async fn run(mut self) {
        let (stop, shared) = (self.stop.clone(), Arc::clone(&self.shared));
        let mut rewatch_at = Instant::now() + REWATCH_INTERVAL;
        self.follow().await;
        self.shared.mailbox.rescan(Cause::Start);
        loop {
            let settled = self.since.map(|(first, last)| settled_at(first, last));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.roots.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.follow().await;
                    self.shared.mailbox.rescan(Cause::Folders);
                }
                () = self.lost.set.notified() => self.since = Some(extend(self.since)),
                () = sleep_until(settled), if settled.is_some() => self.settle(),
                () = tokio::time::sleep_until(rewatch_at) => rewatch_at = self.rewatch().await,
                // A folder is back that was away.
                () = shared.rewatch.notified() => rewatch_at = self.rewatch().await,
                path = self.events.recv(), if !self.events.is_closed() => {
                    if let Some(path) = path {
                        self.take(path);
                    }
                }
            }
        }
    }

    /// Tries again to watch what could not be watched; when to try next.
    async fn rewatch(&mut self) -> Instant {
        if self.follow().await {
            // Nobody looked at it in between.
            self.shared.mailbox.rescan(Cause::Rewatched);
        }
        Instant::now() + REWATCH_INTERVAL
    }

    fn take(&mut self, path: PathBuf) {
        if !self.roots.borrow().iter().any(|root| scan::is_relevant(root, &path)) {
            return;
        }
        if self.watched.contains(&path) && !path.is_dir() {
            // The system stops watching what is gone; `follow` tries again when it is back.
            self.watched.remove(&path);
        }
        self.pending.insert(path);
        if self.pending.len() > CHANGED_PATHS_MAX {
            self.pending.clear();
            self.lost.flag.store(true, Ordering::Relaxed);
        }
        self.since = Some(extend(self.since));
    }

    fn settle(&mut self) {
        self.since = None;
        for (path, reason) in self.lost.unwatched().drain(..) {
            let roots = self.roots.borrow();
            if let Some(root) = roots.iter().find(|root| path.starts_with(root)) {
                self.watched.remove(root);
                self.shared.folders.set_unwatched(root, Some(reason));
            }
        }
        let paths = std::mem::take(&mut self.pending);
        if self.lost.flag.swap(false, Ordering::Relaxed) {
            self.shared.mailbox.rescan(Cause::Overflow);
        }
        if !paths.is_empty() {
            self.shared.mailbox.changed(paths);
        }
    }

    /// Makes the watched set equal to the list of folders; whether one came to be watched.
    async fn follow(&mut self) -> bool {
        let roots: BTreeSet<PathBuf> = self.roots.borrow_and_update().iter().cloned().collect();
        if roots == self.watched {
            return false;
        }
        let Some(watcher) = self.watcher.take() else {
            for root in &roots {
                self.shared.folders.set_unwatched(root, Some(unwatched("no watcher")));
            }
            return false;
        };
        let (held, wanted) = (self.watched.clone(), roots.clone());
        let done = tokio::task::spawn_blocking(move || adjust(watcher, &held, &wanted)).await;
        let (watcher, watched, failures) = match done {
            Ok(adjusted) => adjusted,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        for root in &roots {
            let failure = failures.iter().find(|(failed, _)| failed == root);
            let problem = failure.map(|(_, reason)| reason.clone());
            self.shared.folders.set_unwatched(root, problem);
        }
        let gained = !watched.is_subset(&self.watched);
        self.watcher = Some(watcher);
        self.watched = watched;
        gained
    }
}

type Adjusted = (RecommendedWatcher, BTreeSet<PathBuf>, Vec<(PathBuf, String)>);

/// Watches what is wanted and no more. Blocks: the system walks each folder.
fn adjust(
    mut watcher: RecommendedWatcher,
    held: &BTreeSet<PathBuf>,
    wanted: &BTreeSet<PathBuf>,
) -> Adjusted {
    for root in held.difference(wanted) {
        if let Err(error) = watcher.unwatch(root) {
            tracing::debug!(%error, root = %root.display(), "unwatching");
        }
    }
    let mut watched: BTreeSet<PathBuf> = held.intersection(wanted).cloned().collect();
    let mut failures = Vec::new();
    for root in wanted.difference(held) {
        match watcher.watch(root, RecursiveMode::Recursive) {
            Ok(()) => drop(watched.insert(root.clone())),
            Err(error) => failures.push((root.clone(), explain(&error))),
        }
    }
    (watcher, watched, failures)
}

/// Called on the system's thread, which must not be held up.
fn report(event: notify::Result<Event>, sender: &mpsc::Sender<PathBuf>, lost: &Lost) {
    let lose = || {
        lost.flag.store(true, Ordering::Relaxed);
        lost.set.notify_one();
    };
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            let reason = explain(&error);
            tracing::warn!(reason, "watching");
            let mut unwatched = lost.unwatched();
            // One for each folder that may be concerned is plenty.
            let room = FOLDERS_MAX.saturating_sub(unwatched.len());
            unwatched.extend(error.paths.into_iter().take(room).map(|path| (path, reason.clone())));
            drop(unwatched);
            return lose();
        }
    };
    if event.need_rescan() {
        return lose();
    }
    // Reading is reported too, and the indexer reads.
    let read = matches!(event.kind, EventKind::Access(kind)
        if kind != AccessKind::Close(AccessMode::Write));
    if read {
        return;
    }
    for path in event.paths {
        if sender.try_send(path).is_err() {
            lose();
        }
    }
}

/// A moment to look: when it has been quiet, or has gone on for long enough.
fn settled_at(first: Instant, last: Instant) -> Instant {
    (last + SETTLE_QUIET).min(first + SETTLE_MAX)
}

fn extend(since: Option<(Instant, Instant)>) -> (Instant, Instant) {
    let now = Instant::now();
    (since.map_or(now, |(first, _)| first), now)
}

async fn sleep_until(at: Option<Instant>) {
    // Without a moment the branch is disabled; the fallback is only what a type asks for.
    tokio::time::sleep_until(at.unwrap_or_else(|| Instant::now() + Duration::from_secs(1))).await;
}

fn explain(error: &notify::Error) -> String {
    let os_limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => Some("fs.inotify.max_user_watches=1048576"),
        // EMFILE: the number of watchers, not of what they watch.
        notify::ErrorKind::Io(io) if io.raw_os_error() == Some(24) => {
            Some("fs.inotify.max_user_instances=1024")
        }
        _ => None,
    };
    match os_limit {
        Some(setting) => unwatched(&format!(
            "the system's limit is reached; raise it with `sudo sysctl -w {setting}`"
        )),
        None => unwatched(&error.to_string()),
    }
}

fn unwatched(reason: &str) -> String {
    format!("changes are found by the periodic rescan only: {reason}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures::FutureExt;
    use notify::event::{Flag, ModifyKind};

    use super::*;

    impl Watch {
        /// One that the system tells nothing, only the test does, by way of a queue of one path.
        pub(crate) fn deaf(
            shared: Arc<Shared>,
            stop: CancellationToken,
        ) -> (Watch, impl Fn(notify::Result<Event>)) {
            let mut watch = Watch::new(shared, stop);
            let (sender, events) = mpsc::channel(1);
            watch.watcher = None;
            watch.events = events;
            let lost = Arc::clone(&watch.lost);
            (watch, move |event| report(event, &sender, &lost))
        }
    }

    fn event(kind: EventKind, paths: &[&str]) -> Event {
        paths.iter().fold(Event::new(kind), |event, path| event.add_path(path.into()))
    }

    #[test]
    fn what_is_lost_on_the_way_is_known_to_be_lost() {
        let saved = EventKind::Modify(ModifyKind::Any);
        let read = EventKind::Access(AccessKind::Read);
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let limit = notify::Error::new(notify::ErrorKind::MaxFilesWatch).add_path("/a".into());
        for (what, event, queued, is_lost, unwatched) in [
            ("room for all", Ok(event(saved, &["/a/b", "/a/c"])), 2, false, 0),
            ("room for some", Ok(event(saved, &["/a/b", "/a/c", "/a/d"])), 2, true, 0),
            ("files that were read", Ok(event(read, &["/a/b", "/a/c", "/a/d"])), 0, false, 0),
            ("the system's own queue was full", Ok(overflow), 0, true, 0),
            ("a new folder past the system's limit", Err(limit), 0, true, 1),
        ] {
            let (sender, mut events) = mpsc::channel(2);
            let lost = Lost::default();
            report(event, &sender, &lost);
            let come = std::iter::from_fn(|| events.try_recv().ok()).count();
            let is_told = lost.set.notified().now_or_never().is_some();
            let is_set = lost.flag.load(Ordering::Relaxed);
            assert_eq!((come, is_set, is_told), (queued, is_lost, is_lost), "{what}");
            assert_eq!(lost.unwatched().len(), unwatched, "{what}");
        }
    }

    #[test]
    fn changes_settle_when_quiet_or_after_two_seconds() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        for (last, expected) in [(0, 300), (1000, 1300), (1700, 2000), (1999, 2000)] {
            assert_eq!(settled_at(start, at(last)), at(expected), "last change at {last} ms");
        }
    }

    #[test]
    fn only_visible_paths_and_rule_files_are_relevant() {
        let root = Path::new("/home/a/.notes");
        for (path, expected) in [
            ("/home/a/.notes/todo.md", true),
            ("/home/a/.notes", true),
            ("/home/a/.notes/deep/.gitignore", true),
            ("/home/a/.notes/.ignore", true),
            ("/home/a/.notes/.git/index", false),
            ("/home/a/.notes/.git/.gitignore", false),
            ("/home/a/.notes/.todo.md.swp", false),
            ("/home/b", false),
        ] {
            assert_eq!(scan::is_relevant(root, Path::new(path)), expected, "{path}");
        }
    }
}
