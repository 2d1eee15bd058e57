//! Work that waits for a drive, which may never answer: a mount whose server is gone holds whoever touches it,
//! in the kernel, where no signal ends them. So each work has a thread to itself. One that has given no sign
//! of life for [`ANSWER_MAX`] is left behind; nobody waits for it, at the end of the service neither. Threads that work
//! for the indexer and not for a saved file, and the processes that these start, have a low priority.
//!
//! How many threads are out is bounded for each watched folder and kind of errand. A folder that could not be
//! looked at, or of which [`LATE_MAX`] files in a row gave no answer, hangs: its files are not read and its changes
//! not looked for, until a thread comes back from it, or a look at all folders has found that it can be walked. No
//! such look waits for it while one of those before it still does.

mod crew;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use tokio::sync::{Notify, oneshot};

use crate::limits::{ANSWER_MAX, LATE_MAX, OUT_MAX};
use crate::manners::nice::lower_this_thread;
use crew::Crew;

/// The drives that files are on, and how long they are waited for; a test has some that do not answer.
pub trait Drives: Send + Sync {
    /// Called before the file or folder `path` is touched.
    ///
    /// # Errors
    /// Taken for an error of reading it.
    fn at(&self, path: &Path) -> io::Result<()>;

    /// Completes once `path` has been waited for as long as is reasonable without a sign of life.
    fn waited<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, ()>;
}

/// The drives of the machine.
pub struct Machine;

impl Drives for Machine {
    fn at(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn waited<'a>(&'a self, _: &'a Path) -> BoxFuture<'a, ()> {
        Box::pin(tokio::time::sleep(ANSWER_MAX))
    }
}

/// What a drive is asked for. Each has a bound of its own, so that none takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A file, for the indexer.
    Read,
    /// The same of one that someone has just saved.
    ReadSaved,
    /// What changed in a folder.
    Look,
    /// All of a folder. Of one that hangs, too: that is how to find out whether it still does.
    Trial,
    /// What a client wants to know.
    Ask,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    #[error("did not answer in {} s (is its drive there?)", ANSWER_MAX.as_secs())]
    Late,
    /// It was not asked: others are being waited for.
    #[error("does not answer (is its drive there?)")]
    Left,
    #[error("cannot be looked at, for lack of a thread: {0}")]
    NoThread(String),
}

/// Signs of life of one work.
#[derive(Clone)]
pub struct Pulse {
    drives: Arc<dyn Drives>,
    beats: Arc<AtomicU64>,
    /// Whether it waits for no drive any more.
    computes: Arc<AtomicBool>,
}

impl Default for Pulse {
    /// Of work that nobody leaves behind.
    fn default() -> Pulse {
        Pulse::on(Arc::new(Machine))
    }
}

impl Pulse {
    fn on(drives: Arc<dyn Drives>) -> Pulse {
        Pulse { drives, beats: Arc::default(), computes: Arc::default() }
    }

    /// The work goes on to `path`.
    ///
    /// # Errors
    /// If a test says so.
    pub fn at(&self, path: &Path) -> io::Result<()> {
        self.beat();
        self.drives.at(path)
    }

    /// The drive has answered.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// All that is needed was read: what follows may take its time.
    pub fn compute(&self) {
        self.computes.store(true, Ordering::Relaxed);
    }

    fn has_stopped_since(&self, beats: u64) -> bool {
        !self.computes.load(Ordering::Relaxed) && self.beats.load(Ordering::Relaxed) == beats
    }
}

/// A folder that is waited for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Root {
    /// Threads that are out, by [`Errand`].
    out: [usize; 5],
    /// Files in a row that gave no answer.
    late: usize,
    /// Whether all was looked at again since a thread came back, and no file was read since: who comes back
    /// always, and always too late, is not asked each time.
    is_retried: bool,
}

impl Root {
    fn hangs(&self) -> bool {
        self.late >= LATE_MAX
    }

    /// It is tried again, by one file at first.
    fn forgive(&mut self) {
        self.late = self.late.min(LATE_MAX - 1);
    }
}

#[derive(Default)]
struct Roots {
    by_path: Mutex<BTreeMap<PathBuf, Root>>,
    back: Notify,
}

/// See the module.
pub(crate) struct Patience {
    drives: Arc<dyn Drives>,
    roots: Arc<Roots>,
    /// Of low priority: for what a walk found, and for walks of all folders.
    indexing: Arc<Crew>,
    /// For what someone waits for: a thread's priority cannot be raised again.
    asking: Arc<Crew>,
}

impl Patience {
    pub(crate) fn new(drives: Arc<dyn Drives>) -> Patience {
        Patience {
            drives,
            roots: Arc::default(),
            indexing: Arc::new(Crew::new(lower_this_thread)),
            asking: Arc::new(Crew::new(|| {})),
        }
    }

    /// Does `work` at `path`, which is in the watched folder `root`. Cancel-safe: who stops waiting leaves a
    /// thread behind. A panic in `work` is one here.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        root: &Path,
        path: &Path,
        errand: Errand,
        work: impl FnOnce(&Pulse) -> T + Send + 'static,
    ) -> Result<T, Silence> {
        if !self.roots.begin(root, errand) {
            return Err(Silence::Left);
        }
        let pulse = Pulse::on(Arc::clone(&self.drives));
        let (reply, mut answer) = oneshot::channel();
        let outing = {
            let (roots, root, pulse) = (Arc::clone(&self.roots), root.to_owned(), pulse.clone());
            move || {
                let done = catch_unwind(AssertUnwindSafe(|| work(&pulse)));
                roots.end(&root, errand);
                if reply.send(done).is_err() {
                    roots.come_back(&root, errand);
                }
            }
        };
        let crew = match errand {
            Errand::Read | Errand::Trial => &self.indexing,
            Errand::ReadSaved | Errand::Look | Errand::Ask => &self.asking,
        };
        if let Err(error) = Crew::give(crew, Box::new(outing)) {
            self.roots.end(root, errand);
            return Err(Silence::NoThread(error.to_string()));
        }
        loop {
            let beats = pulse.beats.load(Ordering::Relaxed);
            tokio::select! {
                biased;
                done = &mut answer => {
                    self.roots.answered(root, errand);
                    let done = done.expect("the thread replies, whatever becomes of its work");
                    return done.map_err(|panic| resume_unwind(panic));
                }
                () = self.drives.waited(path) => {}
            }
            if pulse.has_stopped_since(beats) {
                tracing::warn!(path = %path.display(), ?errand, "no answer; left behind");
                self.roots.late(root, errand);
                return Err(Silence::Late);
            }
        }
    }

    /// Whether the watched folder `root` is taken to hang.
    pub(crate) fn hangs(&self, root: &Path) -> bool {
        self.roots.lock().get(root).is_some_and(Root::hangs)
    }

    /// Returns when a thread has come back from a folder that is to be looked at again therefore.
    pub(crate) async fn back(&self) {
        self.roots.back.notified().await;
    }
}

impl Roots {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Root>> {
        self.by_path.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, root: &Path, change: impl FnOnce(&mut Root)) {
        let mut roots = self.lock();
        let state = roots.entry(root.to_owned()).or_default();
        change(state);
        // Nobody is to be remembered who has nothing against him.
        if *state == Root::default() {
            roots.remove(root);
        }
    }

    /// Whether one more thread may go out.
    fn begin(&self, root: &Path, errand: Errand) -> bool {
        let mut may = false;
        self.change(root, |state| {
            let is_asked = state.out[Errand::Trial as usize] + state.out[Errand::Look as usize] > 0;
            let barred = state.hangs()
                && match errand {
                    Errand::Read | Errand::ReadSaved | Errand::Look => true,
                    Errand::Trial => is_asked,
                    Errand::Ask => false,
                };
            may = !barred && state.out[errand as usize] < OUT_MAX;
            state.out[errand as usize] += usize::from(may);
        });
        may
    }

    fn end(&self, root: &Path, errand: Errand) {
        self.change(root, |state| state.out[errand as usize] -= 1);
    }

    fn answered(&self, root: &Path, errand: Errand) {
        self.change(root, |state| match errand {
            Errand::Read | Errand::ReadSaved => (state.late, state.is_retried) = (0, false),
            Errand::Trial => state.forgive(),
            Errand::Look | Errand::Ask => {}
        });
    }

    fn late(&self, root: &Path, errand: Errand) {
        self.change(root, |state| match errand {
            Errand::Read | Errand::ReadSaved => state.late += 1,
            Errand::Look | Errand::Trial => state.late = LATE_MAX,
            Errand::Ask => {}
        });
    }

    /// A thread ended that nobody waited for any more. A single late file is looked at in good time.
    fn come_back(&self, root: &Path, errand: Errand) {
        self.change(root, |state| {
            let matters = match errand {
                Errand::Read | Errand::ReadSaved => state.hangs(),
                Errand::Look | Errand::Trial => true,
                Errand::Ask => false,
            };
            if matters && !std::mem::replace(&mut state.is_retried, true) {
                state.forgive();
                self.back.notify_one();
            }
        });
    }
}
