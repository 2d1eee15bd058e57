//! One client: requests in, jobs started and superseded, events out.
//!
//! A reader (this task), a writer, at most one ask, and a few other requests in work. All of them
//! end with the session; none outlives it, but for a look at a file that `why_not` has begun.

mod lookups;
mod wire;

use std::path::Path;
use std::sync::Arc;

use daemon_protocol::client::{ClientError, FrameReader};
use daemon_protocol::{Ask, Event, Failure, Request};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::{busy, cancelled, invalid};
use crate::limits::{
    CLOSE_WAIT_MAX, JOBS_PER_SESSION_MAX, OUTBOX_EVENTS_MAX, REQUESTS_PER_SESSION_MAX,
    STATUS_INTERVAL_MIN,
};
use crate::patience::{Errand, Pulse};
use crate::query::{self, Outbox};
use crate::shared::Shared;
use lookups::Said;
use wire::{greet, tell_indexing, tell_training, write_events};

/// The ask in work.
struct Current {
    id: u64,
    token: CancellationToken,
    /// Cancelled once what there is shall do.
    enough: CancellationToken,
}

struct Session {
    shared: Arc<Shared>,
    out: Outbox,
    /// Ask, syncs, reload, subscription: whatever takes longer than a frame.
    jobs: JoinSet<()>,
    ask: Option<Current>,
    subscribed: bool,
}

/// Serves one client until it leaves, breaks the protocol, or the service closes.
pub(crate) async fn serve(shared: Arc<Shared>, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut reader = FrameReader::new(read);
    if !greet(&shared, &mut reader, &mut write).await {
        return;
    }
    let (out, outbox) = mpsc::channel(OUTBOX_EVENTS_MAX);
    // Cancelled by the writer once nothing can be written any more.
    let broken = CancellationToken::new();
    let mut writer = tokio::spawn(write_events(write, outbox, broken.clone()));
    let mut session = Session {
        shared: Arc::clone(&shared),
        out,
        jobs: JoinSet::new(),
        ask: None,
        subscribed: false,
    };
    session.read(&mut reader, &broken).await;
    let Session { mut jobs, out, .. } = session;
    jobs.abort_all();
    while let Some(ended) = jobs.join_next().await {
        check(ended);
    }
    drop(out);
    // What is in the outbox still goes out, unless the client does not read.
    match timeout(CLOSE_WAIT_MAX, &mut writer).await {
        Ok(ended) => check(ended),
        Err(_) => writer.abort(),
    }
}

/// A panic in a part of the session is a panic of the session, which the server hears of.
fn check(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

impl Session {
    async fn read(&mut self, reader: &mut FrameReader, broken: &CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = self.shared.closing.cancelled() => return self.close().await,
                () = broken.cancelled() => return,
                Some(ended) = self.jobs.join_next() => check(ended),
                request = reader.read::<Request>(), if self.jobs.len() < JOBS_PER_SESSION_MAX => match request {
                    Ok(Some(request)) => self.handle(request).await,
                    Ok(None) | Err(ClientError::Io(_)) => return,
                    Err(error) => return self.refuse(&error).await,
                },
            }
        }
    }

    async fn close(&self) {
        let reason = self.shared.reason.get().copied().unwrap_or("the daemon is closing");
        // A client that does not read may miss why, but not that, the connection ends.
        drop(self.out.try_send(Event::Closing { reason: reason.to_owned() }));
    }

    /// After a frame that is none, where the next begins is anyone's guess: say so and hang up.
    async fn refuse(&self, error: &ClientError) {
        let error = invalid(error.to_string(), "send one JSON request a line");
        self.send(Event::Failed { id: 0, error }).await;
    }

    async fn handle(&mut self, request: Request) {
        match request {
            Request::Ask(ask) => self.ask(ask),
            Request::Enough { id } => {
                if let Some(current) = &self.ask
                    && current.id == id
                {
                    current.enough.cancel();
                }
            }
            Request::Read { id, path, byte_start } => self.document(id, path, byte_start).await,
            Request::Similar { id, path, byte_start, limit } => {
                self.similar(id, path, byte_start, limit).await;
            }
            Request::Mark { id, question, path, byte_start, byte_end, right } => {
                self.mark(id, Said { question, path, byte_start, byte_end, right }).await;
            }
            Request::Marks { id } => self.marks(id).await,
            Request::WhyNot { id, path, question } => self.why_not(id, path, question).await,
            Request::Cancel { id } => {
                if let Some(current) = &self.ask
                    && current.id == id
                {
                    current.token.cancel();
                }
            }
            Request::Add { id, path } => self.edit(id, path, true).await,
            Request::Remove { id, path } => self.edit(id, path, false).await,
            Request::List { id } => {
                let folders =
                    self.shared.folders.list(&self.shared.generations.serving().catalogue);
                self.send(Event::Folders { id, folders }).await;
            }
            Request::Status { id } => self.status(id).await,
            Request::Sync { id, full } => self.sync(id, full).await,
            Request::Reload { id } => self.reload(id).await,
            Request::Subscribe { .. } => self.subscribe(),
            // Every session hears `closing`, this one too.
            Request::Stop { .. } => self.shared.stop.cancel(),
            Request::Pause { id, seconds } => self.pause(id, true, seconds).await,
            Request::Resume { id } => self.pause(id, false, None).await,
        }
    }

    async fn send(&self, event: Event) {
        tokio::select! {
            // If the writer has ended, the reader is about to.
            sent = self.out.send(event) => drop(sent),
            // A client that reads nothing must not hold up the end.
            () = self.shared.closing.cancelled() => {}
        }
    }

    async fn fail(&self, id: u64, error: Failure) {
        self.send(Event::Failed { id, error }).await;
    }

    /// Starts a question; the newest wins.
    fn ask(&mut self, ask: Ask) {
        if let Some(older) = self.ask.take() {
            older.token.cancel();
        }
        let token = CancellationToken::new();
        let enough = CancellationToken::new();
        self.ask = Some(Current { id: ask.id, token: token.clone(), enough: enough.clone() });
        let (shared, out) = (Arc::clone(&self.shared), self.out.clone());
        self.jobs.spawn(async move {
            let id = ask.id;
            let result = tokio::select! {
                biased;
                () = token.cancelled() => Err(cancelled("superseded or cancelled")),
                result = query::answer(&shared, ask, enough, &out) => result,
            };
            if let Err(error) = result {
                drop(out.send(Event::Failed { id, error }).await);
            }
        });
    }

    async fn edit(&mut self, id: u64, path: String, add: bool) {
        if let Some(refusal) = self.shared.sharing.refusal() {
            return self.fail(id, refusal).await;
        }
        // The list is written to disk; once begun, this runs to its end even if the client leaves.
        let edit = {
            let (shared, path) = (Arc::clone(&self.shared), path.clone());
            move |pulse: &Pulse| {
                if add {
                    shared.folders.add(&path, pulse)?;
                } else {
                    shared.folders.remove(&path)?;
                }
                Ok(shared.folders.list(&shared.generations.serving().catalogue))
            }
        };
        let folder = Path::new(&path);
        match self.shared.patience.run(folder, folder, Errand::Ask, edit).await {
            Ok(Ok(folders)) => self.send(Event::Folders { id, folders }).await,
            Ok(Err(error)) => self.fail(id, error).await,
            Err(silence) => {
                let hint = "`fore list` shows what is watched; try again once its drive is there";
                self.fail(id, invalid(format!("{path} {silence}"), hint)).await;
            }
        }
    }

    /// Whether one more job may start; if not, the client is told.
    async fn has_room(&self, id: u64) -> bool {
        let room = self.jobs.len() < REQUESTS_PER_SESSION_MAX;
        if !room {
            self.fail(id, busy("too many requests of this client at once")).await;
        }
        room
    }

    async fn pause(&self, id: u64, pause: bool, seconds: Option<u64>) {
        let shared = Arc::clone(&self.shared);
        let set = tokio::task::spawn_blocking(move || shared.set_paused(pause, seconds)).await;
        match set {
            Ok(Ok(())) => self.status(id).await,
            Ok(Err(error)) => self.fail(id, error).await,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn status(&self, id: u64) {
        let status = self.shared.daemon_status(&self.shared.generations.serving().card);
        self.send(Event::Status { id, status: Box::new(status) }).await;
    }

    async fn sync(&mut self, id: u64, full: bool) {
        if let Some(refusal) = self.shared.sharing.refusal() {
            return self.fail(id, refusal).await;
        }
        if !self.has_room(id).await {
            return;
        }
        let mut done = self.shared.mailbox.sync(full);
        let (shared, out) = (Arc::clone(&self.shared), self.out.clone());
        let stream = !self.subscribed;
        self.jobs.spawn(async move {
            let mut changes = shared.status.subscribe();
            loop {
                tokio::select! {
                    biased;
                    told = &mut done => {
                        let status = shared.status.borrow().clone();
                        let event = match told {
                            Ok(()) => Event::Synced { id, status },
                            Err(_) => Event::Failed { id, error: cancelled("the daemon is closing") },
                        };
                        drop(out.send(event).await);
                        return;
                    }
                    changed = changes.changed(), if stream => {
                        let status = changes.borrow_and_update().clone();
                        if changed.is_err() || out.send(Event::Indexing { status }).await.is_err() {
                            return;
                        }
                        tokio::select! {
                            // Nothing is lost: the loop looks at `done` first.
                            () = sleep(STATUS_INTERVAL_MIN) => {}
                            () = shared.closing.cancelled() => return,
                        }
                    }
                }
            }
        });
    }

    fn subscribe(&mut self) {
        if std::mem::replace(&mut self.subscribed, true) {
            return;
        }
        let (shared, out) = (Arc::clone(&self.shared), self.out.clone());
        // Who watches is about to ask.
        shared.generations.serving().mind.wake(shared.settings.parts());
        self.jobs.spawn(async move {
            // Neither ends while there is someone to tell.
            tokio::select! {
                biased;
                () = tell_indexing(shared.status.subscribe(), &out) => {}
                () = tell_training(shared.training.follow(), &out) => {}
            }
        });
    }

    async fn reload(&mut self, id: u64) {
        if !self.has_room(id).await {
            return;
        }
        let (shared, out) = (Arc::clone(&self.shared), self.out.clone());
        self.jobs.spawn(async move {
            let event = match shared.reload().await {
                Ok(card) => Event::Status { id, status: Box::new(shared.daemon_status(&card)) },
                Err(error) => Event::Failed { id, error },
            };
            drop(out.send(event).await);
        });
    }
}
