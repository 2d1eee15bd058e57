//! What the service's tasks share: a fixed set of handles, none of which calls back.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use daemon_protocol::{DaemonStatus, Failure, IndexStatus};
use models::ModelCard;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::error::{busy, internal};
use crate::folders::Folders;
use crate::mailbox::Mailbox;
use crate::mind::Threads;
use crate::{Backend, Critical, Settings, mind, training};

/// See the module.
pub(crate) struct Shared {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) settings: Settings,
    pub(crate) folders: Folders,
    pub(crate) mailbox: Mailbox,
    pub(crate) status: watch::Sender<IndexStatus>,
    pub(crate) training: training::News,
    /// Cancelled when sessions are to end.
    pub(crate) closing: CancellationToken,
    /// Why, once they are.
    pub(crate) reason: OnceLock<&'static str>,
    /// Cancelled by a client that asks the daemon to stop.
    pub(crate) stop: CancellationToken,
    fatal: mpsc::Sender<Critical>,
    /// The generation that answers questions.
    engine: RwLock<Arc<Engine>>,
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
        let file: PathBuf = settings.folders_file.clone();
        let folders = tokio::task::spawn_blocking(move || Folders::load(&file))
            .await
            .map_err(|_| Critical::Panicked("reading of the folder list"))??;
        let threads = Threads::default();
        let loaded = mind::start(Arc::clone(&backend), fatal.clone(), &threads).await?;
        let store = backend.open_store(&loaded.card).await?;
        let engine = Arc::new(Engine::open(loaded, store).await?);
        Ok(Arc::new(Shared {
            backend,
            settings,
            folders,
            mailbox: Mailbox::default(),
            status: watch::Sender::new(IndexStatus::default()),
            training: training::News::default(),
            closing: CancellationToken::new(),
            reason: OnceLock::new(),
            stop: CancellationToken::new(),
            fatal,
            engine: RwLock::new(engine),
            threads,
            reloading: tokio::sync::Mutex::default(),
            started: Instant::now(),
        }))
    }

    pub(crate) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on questions are answered by `engine`; those in work end with the one they have.
    pub(crate) fn serve(&self, engine: Arc<Engine>) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = engine;
    }

    /// Ends the thread of the mind that serves and waits until all minds' threads have ended;
    /// whether none panicked. Blocks.
    pub(crate) fn end_minds(&self) -> bool {
        self.engine().mind.close();
        // A mind that was loaded and not taken up yet ends with its last handle.
        drop(self.mailbox.take());
        self.threads.join()
    }

    /// Loads the model that is configured now, on a thread of its own, while the old one serves.
    ///
    /// With the same fingerprint it takes over at once. With another, its store is filled first
    /// and it takes over when that is complete. A failure changes nothing.
    pub(crate) async fn reload(&self) -> Result<ModelCard, Failure> {
        let Ok(_reloading) = self.reloading.try_lock() else {
            return Err(busy("the model is being reloaded already"));
        };
        let loaded = mind::start(Arc::clone(&self.backend), self.fatal.clone(), &self.threads)
            .await
            .map_err(|error| internal(format!("{error}; the old model stays in use")))?;
        let card = loaded.card.clone();
        let old = self.engine();
        if old.card.fingerprint == card.fingerprint {
            let engine = Engine::with(loaded, Arc::clone(&old.store), Arc::clone(&old.catalogue));
            let engine = Arc::new(engine);
            self.serve(Arc::clone(&engine));
            self.mailbox.adopt(engine);
        } else {
            let store = self
                .backend
                .open_store(&card)
                .await
                .map_err(|error| internal(format!("{error}; the old model stays in use")))?;
            let engine = Engine::open(loaded, store)
                .await
                .map_err(|error| internal(format!("{error}; the old model stays in use")))?;
            self.mailbox.adopt(Arc::new(engine));
        }
        Ok(card)
    }

    /// The daemon's status, of the model `card`.
    pub(crate) fn daemon_status(&self, card: &ModelCard) -> DaemonStatus {
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
            folders: self.folders.list(&self.engine().catalogue),
            index: self.status.borrow().clone(),
            // The news are kept only while someone follows them.
            training: daemon_protocol::training::read(&self.settings.training_file),
        }
    }
}
