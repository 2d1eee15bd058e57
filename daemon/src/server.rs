//! `run`: load, accept, watch over the parts, and end them in reverse order before a deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::index::Indexer;
use crate::limits::{ACCEPT_RETRY, SESSIONS_MAX, SHUTDOWN_WAIT_MAX};
use crate::session;
use crate::shared::Shared;
use crate::watch::Watch;
use crate::{Backend, Critical, Settings};

/// What the tasks that look at files are called in an error.
const LOOKERS: &str = "indexer, watcher or look-out for training";

/// Runs the service on `listener` until `shutdown` completes or a client asks it to stop.
///
/// The model is loaded first, and clients that connect meanwhile wait in the listener's queue.
/// The socket's file, and the lock that keeps a second daemon away, belong to the caller.
///
/// # Errors
/// [`Critical`]: what kept it from starting, or what ended it. Every part has been stopped then,
/// save one that a [`Critical::Deadline`] names.
pub async fn run(
    listener: UnixListener,
    backend: Arc<dyn Backend>,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Critical> {
    // One place is enough: only the first reason is acted on.
    let (fatal, failures) = mpsc::channel(1);
    let mut shutdown = std::pin::pin!(shutdown);
    let started = tokio::select! {
        started = Shared::start(Arc::clone(&backend), settings, fatal) => started.map(Some),
        // Loading takes seconds and touches nothing that outlives the process; its thread ends
        // when it finds nobody waiting for the model.
        () = &mut shutdown => Ok(None),
    };
    let Ok(Some(shared)) = started else {
        backend.let_go().await;
        return started.map(|_| ());
    };
    let mut service = Service::start(shared, failures);
    let ended = service.serve(&listener, shutdown).await;
    drop(listener);
    let stopped = service.stop().await;
    ended.and(stopped)
}

struct Service {
    shared: Arc<Shared>,
    failures: mpsc::Receiver<Critical>,
    sessions: JoinSet<()>,
    /// The indexer, the watcher and the look-out for training.
    lookers: JoinSet<()>,
    /// Stops them.
    halt: CancellationToken,
}

impl Service {
    fn start(shared: Arc<Shared>, failures: mpsc::Receiver<Critical>) -> Service {
        let halt = CancellationToken::new();
        let mut lookers = JoinSet::new();
        let watch = Watch::new(Arc::clone(&shared), halt.clone());
        lookers.spawn(watch.run());
        let index = Indexer::new(Arc::clone(&shared), halt.clone());
        lookers.spawn(index.run());
        lookers.spawn(gather_training(Arc::clone(&shared), halt.clone()));
        Service { shared, failures, sessions: JoinSet::new(), lookers, halt }
    }

    async fn serve(
        &mut self,
        listener: &UnixListener,
        mut shutdown: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), Critical> {
        let places = Arc::new(Semaphore::new(SESSIONS_MAX));
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return self.because("the daemon was told to end"),
                () = self.shared.stop.cancelled() => return self.because("a client stopped it"),
                Some(failure) = self.failures.recv() => return Err(failure),
                // None ends unless told to.
                Some(_) = self.lookers.join_next() => return Err(Critical::Panicked(LOOKERS)),
                Some(ended) = self.sessions.join_next() => panicked(&ended, "session")?,
                (stream, place) = accept(listener, &places) => {
                    let shared = Arc::clone(&self.shared);
                    self.sessions.spawn(async move {
                        session::serve(shared, stream).await;
                        drop(place);
                    });
                }
            }
        }
    }

    fn because(&self, reason: &'static str) -> Result<(), Critical> {
        self.shared.reason.get_or_init(|| reason);
        Ok(())
    }

    /// Sessions, then those that look at files, then the minds; the store closes when the last of
    /// them lets go of it. A part that ended badly keeps none of the others from being ended.
    async fn stop(mut self) -> Result<(), Critical> {
        let deadline = Instant::now() + SHUTDOWN_WAIT_MAX;
        self.shared.closing.cancel();
        let sessions = end_all(deadline, "session", &mut self.sessions).await;
        self.halt.cancel();
        let lookers = end_all(deadline, LOOKERS, &mut self.lookers).await;
        let shared = Arc::clone(&self.shared);
        let joined = tokio::task::spawn_blocking(move || shared.end_minds());
        let minds = match timeout_at(deadline, joined).await {
            Ok(Ok(true)) => Ok(()),
            Ok(_) => Err(Critical::Panicked("model's thread")),
            Err(_) => Err(Critical::Deadline("model's thread")),
        };
        // Nothing writes any more. What is not let go of in time is taken by others some seconds later.
        drop(timeout_at(deadline, self.shared.backend.let_go()).await);
        sessions.and(lookers).and(minds)
    }
}

/// Looks at the file of a `fore train` until stopped; whatever it was doing then can be dropped.
async fn gather_training(shared: Arc<Shared>, stop: CancellationToken) {
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = shared.training.gather(&shared.settings.training_file) => {}
    }
}

/// Waits for tasks that have been told to end; aborts them at the deadline.
async fn end_all(
    deadline: Instant,
    part: &'static str,
    tasks: &mut JoinSet<()>,
) -> Result<(), Critical> {
    let mut result = Ok(());
    loop {
        match timeout_at(deadline, tasks.join_next()).await {
            Ok(None) => return result,
            Ok(Some(ended)) => result = result.and(panicked(&ended, part)),
            Err(_) => {
                tasks.abort_all();
                return result.and(Err(Critical::Deadline(part)));
            }
        }
    }
}

fn panicked(ended: &Result<(), JoinError>, part: &'static str) -> Result<(), Critical> {
    match ended {
        Err(error) if error.is_panic() => Err(Critical::Panicked(part)),
        _ => Ok(()),
    }
}

/// The next client and its place. Waits while all places are taken. Cancel-safe.
async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> (UnixStream, OwnedSemaphorePermit) {
    loop {
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.expect("the semaphore is never closed");
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                // Out of file descriptors, as a rule: clients that leave give some back.
                tracing::warn!(%error, "accepting a client");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}
