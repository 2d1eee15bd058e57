//! What runs on the engine's thread between two tokens: it chooses the next.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;
use mistralrs::{CustomLogitsProcessor, Response};
use models::{MindError, Thought};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::mpsc as replies;

use super::draw::Draw;
use super::writer::{Step, Writer};

/// What a thought in the making tells.
pub(crate) enum Event {
    /// A token was sampled and added this text.
    Token(String),
    /// The thought is complete.
    Done(Result<Thought, MindError>),
}

/// Makes the engine's thread one of rayon's, whose others are kept here. A thread of no pool hands each of
/// some 390 products a token over to the global pool and sleeps until it is told of the result.
#[derive(Clone, Default)]
pub(super) struct Workers(Arc<Mutex<Option<ThreadPool>>>);

impl Workers {
    /// Called on the engine's thread, before every token: a thread that died has a successor.
    fn adopt_this_thread(&self) {
        if rayon::current_thread_index().is_some() {
            return;
        }
        let threads = rayon::current_num_threads();
        match ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build() {
            Ok(pool) => *lock(&self.0) = Some(pool),
            // It is slower then, and right all the same.
            Err(error) => tracing::debug!("the engine's thread stays outside of rayon: {error}"),
        }
    }
}

/// The receiver of a sequence's responses. Nobody reads them while all goes well; mistral.rs keeps
/// the sequence going for as long as it is there.
#[derive(Clone)]
pub(super) struct Life(Arc<Mutex<Option<replies::Receiver<Response>>>>);

impl Life {
    pub(super) fn of(receiver: replies::Receiver<Response>) -> Life {
        Life(Arc::new(Mutex::new(Some(receiver))))
    }

    pub(super) fn take(&self) -> Option<replies::Receiver<Response>> {
        lock(&self.0).take()
    }

    fn is_over(&self) -> bool {
        lock(&self.0).is_none()
    }
}

/// Chooses each token of one thought.
pub(super) struct Chooser {
    life: Life,
    /// Bounded by the tokens of a thought, so it is never full.
    sender: SyncSender<Event>,
    state: Mutex<(Draw, Writer)>,
    /// Stands in when a thought is over. Not a special token, which would complete the sequence,
    /// and whole characters, for mistral.rs sends nothing else and so notices nothing.
    filler: u32,
    workers: Workers,
}

impl Chooser {
    /// # Errors
    /// [`MindError::Inference`] if the vocabulary has no filler.
    pub(super) fn new(
        life: Life,
        sender: SyncSender<Event>,
        (draw, writer): (Draw, Writer),
        workers: Workers,
    ) -> Result<Chooser, MindError> {
        let filler = writer.filler()?;
        Ok(Chooser { life, sender, state: Mutex::new((draw, writer)), filler, workers })
    }

    /// The next token, or nothing if the thought ends without one.
    fn choose(&self, logits: &[f32]) -> Option<u32> {
        let (draw, writer) = &mut *lock(&self.state);
        let Some(token) = draw.pick(logits) else {
            self.end(Err(MindError::Numeric("logits that are not numbers".to_owned())));
            return None;
        };
        let outcome = match writer.push(token) {
            Ok(Step::More(text)) => {
                self.tell(Event::Token(text));
                return Some(token);
            }
            Ok(Step::Last(text)) => {
                self.tell(Event::Token(text));
                writer.finish()
            }
            Ok(Step::End) => writer.finish(),
            Err(error) => Err(error),
        };
        self.end(outcome.map_err(MindError::Inference));
        None
    }

    fn end(&self, outcome: Result<Thought, MindError>) {
        drop(self.life.take());
        self.tell(Event::Done(outcome));
    }

    fn tell(&self, event: Event) {
        if self.sender.try_send(event).is_err() {
            // The thinker is gone, so nobody wants the rest.
            drop(self.life.take());
        }
    }
}

impl CustomLogitsProcessor for Chooser {
    fn apply(&self, logits: &Tensor, _context: &[u32]) -> candle_core::Result<Tensor> {
        self.workers.adopt_this_thread();
        let values: Vec<f32> = logits.to_vec1()?;
        // mistral.rs may ask once more after the end of a thought of one token.
        let token = if self.life.is_over() { None } else { self.choose(&values) };
        only(token.unwrap_or(self.filler), logits)
    }
}

/// Ends a prompt that is kept with a token that no prompt goes on with. The state of what mistral.rs
/// keeps has no place for the token that it sampled last, and yet takes it for a part: a thought whose
/// prompt went on with it would attend to nothing there.
pub(super) struct Keeper {
    pub(super) end: u32,
    pub(super) workers: Workers,
}

impl CustomLogitsProcessor for Keeper {
    fn apply(&self, logits: &Tensor, _context: &[u32]) -> candle_core::Result<Tensor> {
        self.workers.adopt_this_thread();
        only(self.end, logits)
    }
}

/// `logits` by which `token` is the one candidate.
fn only(token: u32, logits: &Tensor) -> candle_core::Result<Tensor> {
    let mut only = vec![0f32; logits.elem_count()];
    if let Some(chosen) = only.get_mut(token as usize) {
        *chosen = 1.0;
    }
    Tensor::from_vec(only, logits.dims1()?, logits.device())
}

/// What is behind these locks is whole after a panic, too: it is only ever taken or replaced.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
