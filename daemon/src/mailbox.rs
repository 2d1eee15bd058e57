//! The indexer's inbox: one slot that later orders are merged into, so it never grows.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::engine::Engine;
use crate::limits::CHANGED_PATHS_MAX;

/// Why all folders are walked. Start, overflow and a person's wish are the same act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Start,
    Folders,
    Sync,
    /// The system reported more changes than could be taken, or lost some.
    Overflow,
    /// A drive that hung has answered.
    Answered,
    Periodic,
    /// Something could not be stored, or another model is not complete.
    Retry,
    Model,
}

/// What the indexer is to do next.
#[derive(Default)]
pub(crate) struct Orders {
    pub(crate) rescan: Option<Cause>,
    /// Whether it reads each file, whatever its size and time say.
    pub(crate) full: bool,
    /// Paths that may have changed.
    pub(crate) changed: BTreeSet<PathBuf>,
    /// Told when everything that the rescan finds is committed.
    pub(crate) waiters: Vec<oneshot::Sender<()>>,
    /// A generation to fill and then serve from.
    pub(crate) adopt: Option<Arc<Engine>>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Mailbox {
    slot: Mutex<Option<Orders>>,
    arrived: Notify,
}

impl Mailbox {
    fn merge(&self, change: impl FnOnce(&mut Orders)) {
        change(self.lock().get_or_insert_default());
        self.arrived.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Orders>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rescan(&self, cause: Cause) {
        self.merge(|orders| orders.rescan = Some(cause));
    }

    /// Orders a rescan, one that reads each file if it is to be `full`; the receiver hears when everything it
    /// found is committed.
    pub(crate) fn sync(&self, full: bool) -> oneshot::Receiver<()> {
        let (waiter, done) = oneshot::channel();
        self.merge(|orders| {
            orders.rescan = Some(Cause::Sync);
            orders.full |= full;
            // Those who stopped waiting must not pile up.
            orders.waiters.retain(|waiter| !waiter.is_closed());
            orders.waiters.push(waiter);
        });
        done
    }

    pub(crate) fn changed(&self, paths: BTreeSet<PathBuf>) {
        self.merge(|orders| {
            orders.changed.extend(paths);
            if orders.changed.len() > CHANGED_PATHS_MAX {
                orders.changed.clear();
                orders.rescan = Some(Cause::Overflow);
            }
        });
    }

    pub(crate) fn adopt(&self, engine: Arc<Engine>) {
        self.merge(|orders| {
            orders.adopt = Some(engine);
            orders.rescan = Some(Cause::Model);
        });
    }

    /// Has the indexer look whether there is anything to do, besides orders.
    pub(crate) fn wake(&self) {
        self.arrived.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Orders> {
        self.lock().take()
    }

    /// Returns when there may be something to take.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}
