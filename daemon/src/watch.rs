//! What the system reports about the watched folders -> settled sets of changed paths.
//!
//! An event says that a path deserves a look and nothing else; whatever is lost on the way (a full
//! queue, an error) becomes a rescan. What is watched follows from what a look finds: the folders
//! that it enters. Those that are watched only since are looked at once more, so that nothing is
//! missed between a look and its watches, and so on until a look finds no new folder. A watched
//! folder whose watches the system refuses is marked as such, left to the periodic rescan, and tried
//! again from time to time; the others stay watched.

mod held;
mod pending;
mod told;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use notify::{Config, Event, RecommendedWatcher, Watcher};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits::{CHANGED_PATHS_MAX, REWATCH_INTERVAL, WATCH_EVENTS_MAX};
use crate::mailbox::Cause;
use crate::scan;
use crate::shared::Shared;
use held::Held;
use pending::Pending;
use told::{Lost, Told, explain, report};

/// What the system's watcher calls.
pub(crate) type Handler = Box<dyn Fn(notify::Result<Event>) + Send>;
pub(crate) type System = Box<dyn Watcher + Send>;

/// See the module.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    stop: CancellationToken,
    /// `None` if the system has no watcher to give, or while it is lent to a blocking call.
    held: Option<Held>,
    /// Why it has none to give.
    failure: Option<String>,
    roots: watch::Receiver<Vec<PathBuf>>,
    events: mpsc::Receiver<Told>,
    lost: Arc<Lost>,
    pending: Pending,
    doubts: Doubts,
}

/// What was heard by which the system may have stopped watching, and `held` does not know of yet.
#[derive(Default)]
struct Doubts {
    of_all: bool,
    of: Vec<PathBuf>,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Watch {
        Watch::by(shared, stop, |handler| {
            let config = Config::default().with_follow_symlinks(false);
            Ok(Box::new(RecommendedWatcher::new(handler, config)?))
        })
    }

    /// One that hears from `system`.
    pub(crate) fn by(
        shared: Arc<Shared>,
        stop: CancellationToken,
        system: impl FnOnce(Handler) -> notify::Result<System>,
    ) -> Watch {
        let (sender, events) = mpsc::channel(WATCH_EVENTS_MAX);
        let lost = Arc::new(Lost::default());
        let told = Arc::clone(&lost);
        let system = system(Box::new(move |event| report(event, &sender, &told)));
        let mut watch = Watch {
            roots: shared.folders.subscribe(),
            shared,
            stop,
            held: None,
            failure: None,
            events,
            lost,
            pending: Pending::default(),
            doubts: Doubts::default(),
        };
        (watch.held, watch.failure) = match system {
            Ok(system) => (Some(Held::new(system, held::MODE, watch.stop.clone())), None),
            Err(error) => (None, Some(explain(&error))),
        };
        watch
    }

    /// Runs until stopped.
    pub(crate) async fn run(mut self) {
        let (stop, shared) = (self.stop.clone(), Arc::clone(&self.shared));
        let mut rewatch_at = Instant::now() + REWATCH_INTERVAL;
        self.tell_failure();
        self.shared.mailbox.rescan(Cause::Start);
        loop {
            let settled = self.pending.settled_at();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                changed = self.roots.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.release().await;
                    self.shared.mailbox.rescan(Cause::Folders);
                }
                () = shared.walked.arrived() => self.follow().await,
                () = self.lost.set.notified() => self.pending.extend(Instant::now()),
                () = sleep_until(settled), if settled.is_some() => self.settle().await,
                () = tokio::time::sleep_until(rewatch_at) => {
                    self.rewatch().await;
                    rewatch_at = Instant::now() + REWATCH_INTERVAL;
                }
                told = self.events.recv(), if !self.events.is_closed() => {
                    if let Some(told) = told {
                        self.take(told);
                    }
                }
            }
        }
    }

    fn take(&mut self, told: Told) {
        if !self.roots.borrow().iter().any(|root| scan::is_relevant(root, &told.path)) {
            return;
        }
        if !self.pending.add(told, Instant::now()) {
            self.lost.flag.store(true, Ordering::Relaxed);
        }
    }

    async fn settle(&mut self) {
        self.deny_refused().await;
        self.order();
        self.doubt();
    }

    /// Orders a look at what is pending.
    fn order(&mut self) {
        let pending = std::mem::take(&mut self.pending).paths;
        let others = pending.iter().filter(|(_, change)| change.is_other);
        self.doubts.of.extend(others.map(|(path, _)| path.clone()));
        if self.lost.flag.swap(false, Ordering::Relaxed) {
            self.doubts.of_all = true;
            self.shared.mailbox.rescan(Cause::Overflow);
        }
        if self.doubts.of_all || self.doubts.of.len() > CHANGED_PATHS_MAX {
            self.doubts = Doubts { of_all: true, of: Vec::new() };
        }
        if !pending.is_empty() {
            self.shared.mailbox.changed(pending.into_keys().collect());
        }
    }

    /// Tells what is held of the doubts, unless it is lent.
    fn doubt(&mut self) {
        let Some(held) = &mut self.held else { return };
        let Doubts { of_all, of } = std::mem::take(&mut self.doubts);
        if of_all {
            held.doubt_all();
        }
        for path in of {
            held.doubt(&path);
        }
    }

    async fn deny_refused(&mut self) {
        let refused: Vec<(PathBuf, String)> = self.lost.unwatched().drain(..).collect();
        let roots = self.roots.borrow().clone();
        let mut denied = BTreeSet::new();
        for (path, reason) in refused {
            if let Some(root) = scan::root_of(&roots, &path) {
                self.shared.folders.set_unwatched(root, Some(reason));
                denied.insert(root.to_owned());
            }
        }
        if !denied.is_empty() {
            self.with_held(move |held| denied.iter().for_each(|root| held.deny(root))).await;
        }
    }

    /// Watches the folders that looks found, and has those looked at that were not watched before.
    async fn follow(&mut self) {
        let Some(walk) = self.shared.walked.take() else { return };
        let roots = self.roots.borrow().clone();
        let following = self.with_held(move |held| held.follow(&walk, &roots));
        let Some(followed) = following.await else { return };
        for (root, watched) in followed.roots {
            let problem = watched.err().map(|error| explain(&error));
            if let Some(reason) = &problem {
                tracing::warn!(reason, root = %root.display(), "watching");
            }
            self.shared.folders.set_unwatched(&root, problem);
        }
        if !followed.gained.is_empty() {
            self.shared.mailbox.changed(followed.gained);
        }
    }

    /// Lets go of folders that are no longer in the list.
    async fn release(&mut self) {
        let roots = self.roots.borrow().clone();
        self.with_held(move |held| held.retain(&roots)).await;
        self.tell_failure();
    }

    /// Has what is not watched looked at, after which it is watched if the system is willing now.
    async fn rewatch(&mut self) {
        let roots = self.roots.borrow().clone();
        let retried = self.with_held(move |held| held.retry(&roots)).await.unwrap_or_default();
        if !retried.is_empty() {
            // One that is away or hangs is found out by the look, which waits for none.
            self.shared.mailbox.changed(retried.into_iter().collect());
        }
    }

    /// Changes what is watched, and takes what the system tells meanwhile, and has it looked at: for a large folder
    /// that is more than its queue holds, and one on a drive that hangs takes for ever. `None` if there is no watcher.
    async fn with_held<T: Send + 'static>(
        &mut self,
        change: impl FnOnce(&mut Held) -> T + Send + 'static,
    ) -> Option<T> {
        let mut held = self.held.take()?;
        let mut changing = tokio::task::spawn_blocking(move || {
            let done = change(&mut held);
            (held, done)
        });
        let stop = self.stop.clone();
        loop {
            let settled = self.pending.settled_at();
            tokio::select! {
                biased;
                changed = &mut changing => match changed {
                    Ok((held, done)) => {
                        self.held = Some(held);
                        self.doubt();
                        return Some(done);
                    }
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                // What is left behind ends with the process.
                () = stop.cancelled() => return None,
                () = sleep_until(settled), if settled.is_some() => self.order(),
                Some(told) = self.events.recv() => self.take(told),
            }
        }
    }

    /// Says of all folders why none is watched, if none is.
    fn tell_failure(&self) {
        let Some(reason) = &self.failure else { return };
        for root in self.roots.borrow().iter() {
            self.shared.folders.set_unwatched(root, Some(reason.clone()));
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    // Without a moment the branch is disabled; the fallback is only what a type asks for.
    tokio::time::sleep_until(at.unwrap_or_else(|| Instant::now() + Duration::from_secs(1))).await;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    impl Watch {
        /// One that the system tells nothing, only the test does, by way of a queue of one path.
        pub(crate) fn deaf(
            shared: Arc<Shared>,
            stop: CancellationToken,
        ) -> (Watch, impl Fn(notify::Result<Event>)) {
            let mut watch = Watch::new(shared, stop);
            let (sender, events) = mpsc::channel(1);
            watch.held = None;
            watch.events = events;
            let lost = Arc::clone(&watch.lost);
            (watch, move |event| report(event, &sender, &lost))
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
