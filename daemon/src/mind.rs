//! The thread that owns the model, and the handle others ask it through.
//!
//! Two bounded lanes: jobs of people who wait come before jobs of the indexer. A job whose asker
//! has gone is dropped before it costs anything, and thinking stops between two tokens for the
//! same reason, so cancelling is nothing but dropping the future that waits here.

mod desk;
mod reading;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use models::{Embedding, Mind, MindError, ModelCard, Part, Sampling, Thought, TokenCounter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use desk::Desk;
use reading::read;
pub use reading::{ReadOrder, Reading};

use crate::limits::{DELTAS_SPARE, LANE_INTERACTIVE_MAX};
use crate::{Backend, Critical};

/// A piece of a thought, owned.
#[derive(Debug)]
pub struct Delta {
    pub index: usize,
    pub text: String,
}

/// Why a job gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobError {
    /// The interactive lane is full.
    #[error("too many questions at once")]
    Busy,
    /// The thread has ended.
    #[error("the model's thread has stopped")]
    Gone,
    #[error(transparent)]
    Mind(#[from] MindError),
}

type Reply<T> = oneshot::Sender<Result<T, MindError>>;

/// All that the thread can be told.
enum Job {
    Think {
        question: String,
        context: String,
        sampling: Sampling,
        deltas: mpsc::Sender<Delta>,
        reply: Reply<Vec<Thought>>,
    },
    EmbedQuery {
        question: String,
        thoughts: Vec<Thought>,
        reply: Reply<Embedding>,
    },
    Read {
        order: ReadOrder,
        /// What has been read so far, after each batch; whoever is late sees the newest.
        progress: watch::Sender<Vec<f32>>,
        reply: Reply<(Vec<f32>, Duration)>,
    },
    EmbedPassages {
        texts: Vec<String>,
        reply: Reply<Vec<Embedding>>,
        /// The job's place in its lane, given back when the job is taken up.
        place: OwnedSemaphorePermit,
    },
}

impl Job {
    fn asker_left(&self) -> bool {
        match self {
            Job::Think { reply, .. } => reply.is_closed(),
            Job::EmbedQuery { reply, .. } => reply.is_closed(),
            Job::Read { reply, .. } => reply.is_closed(),
            Job::EmbedPassages { reply, .. } => reply.is_closed(),
        }
    }
}

/// Asks the mind. When the last handle is dropped, its thread ends.
pub struct MindHandle(Arc<Desk>);

impl Drop for MindHandle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A question is being answered while this is held: passages wait, that no batch of them comes between two of its
/// parts. For at most [`crate::limits::ATTENTION_MAX`] in a row.
pub struct Attention(Arc<Desk>);

impl Drop for Attention {
    fn drop(&mut self) {
        self.0.lock().leave();
        self.0.arrived.notify_one();
    }
}

/// The threads of all minds so far, to be joined at the end. Those of old minds have ended, or
/// will with their last question.
#[derive(Default)]
pub struct Threads(Mutex<Vec<JoinHandle<()>>>);

impl Threads {
    fn lock(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, thread: JoinHandle<()>) {
        let mut threads = self.lock();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
    }

    /// Waits until all have ended; whether none panicked. Blocks.
    pub fn join(&self) -> bool {
        let threads = std::mem::take(&mut *self.lock());
        threads.into_iter().filter_map(|thread| thread.join().err()).count() == 0
    }
}

/// A loaded mind: what is known of it, and the handle of its thread.
pub struct Loaded {
    pub card: ModelCard,
    pub counter: Arc<dyn TokenCounter>,
    pub handle: MindHandle,
}

/// Starts a thread, loads the configured mind on it and waits until it is ready. The mind rests whenever
/// it had nothing to do for `idle`. If the thread ever panics, `fatal` is told.
pub async fn start(
    backend: Arc<dyn Backend>,
    idle: Option<Duration>,
    fatal: mpsc::Sender<Critical>,
    threads: &Threads,
) -> Result<Loaded, Critical> {
    start_with(move || backend.load_mind(), idle, fatal, threads).await
}

/// As [`start`], with the mind that `load` gives.
pub async fn start_with(
    load: impl FnOnce() -> Result<Box<dyn Mind>, MindError> + Send + 'static,
    idle: Option<Duration>,
    fatal: mpsc::Sender<Critical>,
    threads: &Threads,
) -> Result<Loaded, Critical> {
    let desk = Arc::new(Desk::default());
    let handle = MindHandle(Arc::clone(&desk));
    let (ready, loaded) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("mind".to_owned())
        .spawn(move || {
            let guard = Guard { desk, fatal };
            match load() {
                Err(error) => drop(ready.send(Err(error))),
                Ok(mut mind) => {
                    if ready.send(Ok((mind.card().clone(), mind.counter()))).is_ok() {
                        guard.desk.serve(mind.as_mut(), idle);
                    }
                }
            }
        })
        .map_err(Critical::Thread)?;
    threads.add(thread);
    match loaded.await {
        Ok(Ok((card, counter))) => Ok(Loaded { card, counter, handle }),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Critical::Panicked("model's thread")),
    }
}

/// Closes the desk when the thread ends, by whatever way.
struct Guard {
    desk: Arc<Desk>,
    fatal: mpsc::Sender<Critical>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.desk.close();
        if std::thread::panicking() {
            // If the channel is full or closed, the service already knows worse.
            drop(self.fatal.try_send(Critical::Panicked("model's thread")));
        }
    }
}

fn perform(mind: &mut dyn Mind, job: Job) {
    // A failed send below means that the asker left while we worked, which is no error.
    match job {
        Job::Think { question, context, sampling, deltas, reply } => {
            let result = mind.think(&question, &context, &sampling, &mut |delta| {
                let piece = Delta { index: delta.index, text: delta.text.to_owned() };
                // The channel holds every token that may come, so it is full for no one who
                // still listens.
                if reply.is_closed() || deltas.try_send(piece).is_err() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            drop(deltas);
            drop(reply.send(result));
        }
        Job::EmbedQuery { question, thoughts, reply } => {
            drop(reply.send(mind.embed_query(&question, &thoughts)));
        }
        Job::Read { order, progress, reply } => {
            let result = read(mind, &order, &progress, &|| reply.is_closed());
            drop(progress);
            drop(reply.send(result));
        }
        Job::EmbedPassages { texts, reply, place } => {
            drop(place);
            drop(reply.send(mind.embed_passages(&texts)));
        }
    }
}

/// Thinking under way. Dropping it stops the thinking.
pub struct Thinking {
    pub deltas: mpsc::Receiver<Delta>,
    reply: oneshot::Receiver<Result<Vec<Thought>, MindError>>,
}

impl Thinking {
    /// The thoughts, once `deltas` has ended.
    pub async fn thoughts(self) -> Result<Vec<Thought>, JobError> {
        received(self.reply).await
    }
}

impl MindHandle {
    fn submit(&self, job: Job) -> Result<(), JobError> {
        let mut lanes = self.0.lock();
        if lanes.closed {
            return Err(JobError::Gone);
        }
        // Superseded questions must not keep the newest one out.
        lanes.interactive.retain(|job| !job.asker_left());
        if lanes.interactive.len() >= LANE_INTERACTIVE_MAX {
            return Err(JobError::Busy);
        }
        lanes.interactive.push_back(job);
        drop(lanes);
        self.0.arrived.notify_one();
        Ok(())
    }

    fn submit_background(&self, job: Job) -> Result<(), JobError> {
        let mut lanes = self.0.lock();
        if lanes.closed {
            return Err(JobError::Gone);
        }
        lanes.background.push_back(job);
        drop(lanes);
        self.0.arrived.notify_one();
        Ok(())
    }

    /// Ends the thread after the job in work; jobs that wait are dropped.
    pub fn close(&self) {
        self.0.close();
    }

    /// See [`Attention`].
    pub fn attend(&self) -> Attention {
        self.0.lock().attend(Instant::now());
        Attention(Arc::clone(&self.0))
    }

    /// Has `parts` loaded, in this order, once nobody waits for anything else: someone may be about to ask.
    pub fn wake(&self, parts: impl IntoIterator<Item = Part>) {
        let mut lanes = self.0.lock();
        if lanes.closed {
            return;
        }
        for part in parts {
            if !lanes.waking.contains(&part) {
                lanes.waking.push(part);
            }
        }
        drop(lanes);
        self.0.arrived.notify_one();
    }

    /// Queues thinking about `question`, grounded in `context` unless it is empty, and returns at
    /// once.
    pub fn think(
        &self,
        question: &str,
        context: &str,
        sampling: &Sampling,
    ) -> Result<Thinking, JobError> {
        let tokens = sampling.thoughts.saturating_mul(sampling.tokens_max.saturating_add(2));
        let room = tokens.saturating_add(DELTAS_SPARE).min(Semaphore::MAX_PERMITS);
        let (sender, deltas) = mpsc::channel(room);
        let (reply, receiver) = oneshot::channel();
        self.submit(Job::Think {
            question: question.to_owned(),
            context: context.to_owned(),
            sampling: sampling.clone(),
            deltas: sender,
            reply,
        })?;
        Ok(Thinking { deltas, reply: receiver })
    }

    /// The query vector of `question` with `thoughts`.
    pub async fn embed_query(
        &self,
        question: &str,
        thoughts: Vec<Thought>,
    ) -> Result<Embedding, JobError> {
        let (reply, receiver) = oneshot::channel();
        self.submit(Job::EmbedQuery { question: question.to_owned(), thoughts, reply })?;
        received(receiver).await
    }

    /// Vectors of `texts`, behind everyone who waits.
    pub async fn embed_passages(&self, texts: Vec<String>) -> Result<Vec<Embedding>, JobError> {
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| JobError::Gone)?;
        let (reply, receiver) = oneshot::channel();
        self.submit_background(Job::EmbedPassages { texts, reply, place })?;
        received(receiver).await
    }
}

async fn received<T>(reply: oneshot::Receiver<Result<T, MindError>>) -> Result<T, JobError> {
    Ok(reply.await.map_err(|_| JobError::Gone)??)
}
