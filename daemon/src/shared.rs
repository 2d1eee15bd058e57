//! What the service's tasks share: a fixed set of handles, none of which calls back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use daemon_protocol::{DaemonStatus, Failure, IndexStatus};
use models::{MindError, ModelCard};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::convert::Convert;
use crate::convert::ledger::Ledger;
use crate::engine::Engine;
use crate::error::{busy, internal, invalid};
use crate::folders::{Folders, View};
use crate::generations::Generations;
use crate::limits::{KINDS_MAX, PAUSE_MAX};
use crate::mailbox::Mailbox;
use crate::manners::Why;
use crate::manners::paused::Paused;
use crate::marks::Marks;
use crate::mind::{Loaded, Threads};
use crate::patience::Patience;
use crate::sharing::Sharing;
use crate::touched::Touched;
use crate::walked::Walked;
use crate::{Backend, Critical, Settings, mind, training};

/// See the module.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) settings: Settings,
    pub(crate) converter: Arc<dyn Convert>,
    pub(crate) folders: Folders,
    pub(crate) marks: Marks,
    pub(crate) patience: Patience,
    pub(crate) paused: Paused,
    pub(crate) sharing: Sharing,
    pub(crate) touched: Touched,
    pub(crate) generations: Generations,
    pub(crate) mailbox: Mailbox,
    pub(crate) status: watch::Sender<IndexStatus>,
    pub(crate) training: training::News,
    /// The folders that looks at the disk entered, for the watcher.
    pub(crate) walked: Walked,
    /// Files that the last look at all folders left out for their kind, by ending.
    pub(crate) left_out: Mutex<BTreeMap<String, usize>>,
    /// Cancelled when sessions are to end.
    pub(crate) closing: CancellationToken,
    /// Why, once they are.
    pub(crate) reason: OnceLock<&'static str>,
    /// Cancelled by a client that asks the daemon to stop.
    pub(crate) stop: CancellationToken,
    fatal: mpsc::Sender<Critical>,
    threads: Threads,
    reloading: tokio::sync::Mutex<()>,
    started: Instant,
}

impl Shared {
    /// Loads the mind and opens its store; errors here are what `daemon run` prints.
    pub(crate) async fn start(
        backend: Arc<dyn Backend>,
        settings: Settings,
        fatal: mpsc::Sender<Critical>,
    ) -> Result<Arc<Shared>, Critical> {
        // The cheap part first: a list that cannot be read should not cost a model's loading.
        let files = settings.clone();
        let readers = backend.converter();
        let read = move || {
            let ledger = Ledger::new(readers, files.refused_file);
            let remembered = (Paused::load(&files.paused_file), Touched::load(&files.touched_file));
            (Folders::load(&files.folders_file), ledger, Marks::load(&files.marks_file), remembered)
        };
        let (folders, ledger, marks, (paused, touched)) =
            tokio::task::spawn_blocking(read)
                .await
                .map_err(|_| Critical::Panicked("reading of the folder list"))?;
        let folders = folders?;
        let threads = Threads::default();
        let idle = settings.unload_after;
        let loaded = mind::start(Arc::clone(&backend), idle, fatal.clone(), &threads).await?;
        let configured = open(backend.as_ref(), loaded, &touched).await?;
        let former = former(&backend, &configured.card, idle, &fatal, (&threads, &touched)).await;
        let (serving, next) = match former {
            Some(former) => (former, Some(configured)),
            None => (configured, None),
        };
        backend.note_serving(&serving.card);
        Ok(Arc::new(Shared {
            converter: Arc::new(ledger),
            patience: Patience::new(backend.drives()),
            sharing: Sharing::new(backend.shares()),
            paused,
            touched,
            backend,
            settings,
            folders,
            marks,
            generations: Generations::new(serving, next),
            mailbox: Mailbox::default(),
            status: watch::Sender::new(IndexStatus::default()),
            training: training::News::default(),
            walked: Walked::default(),
            left_out: Mutex::default(),
            closing: CancellationToken::new(),
            reason: OnceLock::new(),
            stop: CancellationToken::new(),
            fatal,
            threads,
            reloading: tokio::sync::Mutex::default(),
            started: Instant::now(),
        }))
    }

    /// Ends the threads of the minds in use and waits until all minds' threads have ended; whether
    /// none panicked. Blocks.
    pub(crate) fn end_minds(&self) -> bool {
        self.generations.close();
        // A mind that was loaded and not taken up yet ends with its last handle.
        drop(self.mailbox.take());
        self.threads.join()
    }

    /// Loads the model that is configured now, on a thread of its own, while the old one serves.
    ///
    /// With the same vectors it takes over at once. With others, its store is filled first and it takes
    /// over when that is complete. A failure changes nothing.
    pub(crate) async fn reload(&self) -> Result<ModelCard, Failure> {
        let Ok(_reloading) = self.reloading.try_lock() else {
            return Err(busy("the model is being reloaded already"));
        };
        let engine = self
            .load()
            .await
            .map_err(|error| internal(format!("{error}; the old model stays in use")))?;
        let card = engine.card.clone();
        self.mailbox.adopt(engine);
        Ok(card)
    }

    /// The generation of the model that is configured now. It serves if it has the vectors to.
    async fn load(&self) -> Result<Arc<Engine>, Critical> {
        let (backend, fatal) = (Arc::clone(&self.backend), self.fatal.clone());
        let idle = self.settings.unload_after;
        let loaded = mind::start(backend, idle, fatal, &self.threads).await?;
        match self.generations.renew(loaded) {
            Ok(renewed) => {
                self.backend.note_serving(&renewed.card);
                Ok(renewed)
            }
            Err(other) => open(self.backend.as_ref(), *other, &self.touched).await,
        }
    }

    /// Pauses indexing, for `seconds` or until it is resumed, or resumes it if `pause` is false. Blocks.
    pub(crate) fn set_paused(&self, pause: bool, seconds: Option<u64>) -> Result<(), Failure> {
        if seconds.is_some_and(|seconds| Duration::from_secs(seconds) > PAUSE_MAX) {
            let days = PAUSE_MAX.as_secs() / (24 * 3600);
            let hint = "leave the time out to pause until `fore resume`";
            return Err(invalid(
                format!("a pause of more than {days} days cannot be asked for"),
                hint,
            ));
        }
        let done = if pause { self.paused.pause(seconds) } else { self.paused.resume() };
        done.map_err(|error| {
            internal(format!("writing {}: {error}", self.settings.paused_file.display()))
        })?;
        let waiting = self.paused.left().map(|left| Why::Paused(left).to_string());
        // The indexer says more when it comes to it.
        self.status.send_modify(|status| status.waiting = waiting);
        self.mailbox.wake();
        Ok(())
    }

    /// What may be found.
    pub(crate) fn view(&self) -> View {
        self.folders.view(self.sharing.is_shared())
    }

    /// The daemon's status, of the model `card`.
    pub(crate) fn daemon_status(&self, card: &ModelCard) -> DaemonStatus {
        let catalogue = &self.generations.serving().catalogue;
        let left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let memory = models::process::memory();
        DaemonStatus {
            version: self.settings.version.clone(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            model: card.name.clone(),
            fingerprint: card.fingerprint.clone(),
            device: card.device.clone(),
            memory_bytes: memory.0,
            memory_peak_bytes: memory.1,
            folders: self.folders.list(catalogue),
            kinds: most(catalogue.kinds()),
            left_out: most(left_out),
            index: self.status.borrow().clone(),
            // The news are kept only while someone follows them.
            training: daemon_protocol::training::read(&self.settings.training_file),
        }
    }
}

/// The most frequent kinds, and the others as one, which is called `…`.
fn most(kinds: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    if kinds.len() <= KINDS_MAX {
        return kinds;
    }
    let mut kinds: Vec<(String, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let others = kinds.split_off(KINDS_MAX).into_iter().map(|(_, count)| count).sum();
    kinds.into_iter().chain([("…".to_owned(), others)]).collect()
}

/// The generation that served when the service last ended, if its vectors are others than those of
/// `configured` and its store has something to answer with.
async fn former(
    backend: &Arc<dyn Backend>,
    configured: &ModelCard,
    idle: Option<Duration>,
    fatal: &mpsc::Sender<Critical>,
    (threads, touched): (&Threads, &Touched),
) -> Option<Arc<Engine>> {
    let (loader, card) = (Arc::clone(backend), configured.clone());
    let load = move || {
        loader
            .load_former(&card)
            .ok_or_else(|| MindError::Model("no other model served".to_owned()))
    };
    let loaded = mind::start_with(load, idle, fatal.clone(), threads).await.ok()?;
    let opened = open(backend.as_ref(), loaded, touched).await;
    let opened = opened.inspect_err(|error| tracing::warn!(%error, "the former model's passages"));
    opened.ok().filter(|former| former.catalogue.count().0 > 0)
}

/// A generation on a store of its own.
async fn open(
    backend: &dyn Backend,
    loaded: Loaded,
    touched: &Touched,
) -> Result<Arc<Engine>, Critical> {
    let store = backend.open_store(&loaded.card).await?;
    let engine = Engine::open(loaded, store).await?;
    touched.restamp(&mut engine.catalogue.write());
    Ok(Arc::new(engine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_kinds_the_most_frequent_are_named() {
        let kinds = |count: usize| (0..count).map(|kind| (format!("{kind:03}"), kind)).collect();
        assert_eq!(most(kinds(KINDS_MAX)), kinds(KINDS_MAX));
        let named = most(kinds(KINDS_MAX + 3));
        assert_eq!(named.len(), KINDS_MAX + 1);
        assert_eq!((named["…"], named["034"], named.get("002")), (3, 34, None));
    }
}
