//! Which generation answers questions, and which one is filled meanwhile to serve next; the indexer makes both
//! equal to the disk.
//!
//! The only owner of both. A reload may change the mind that answers at any moment; what is filled
//! goes over to another store only when the indexer says so, which may hold vectors for that store.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::engine::Engine;
use crate::mind::Loaded;

/// See the module.
pub(crate) struct Generations(RwLock<State>);

enum State {
    /// No other is filled.
    Serving(Arc<Engine>),
    /// Another model's `next` is filled, and takes over when it is complete.
    Filling { serving: Arc<Engine>, next: Arc<Engine> },
}

/// What it means for the indexer that a generation was adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Adopted {
    /// Nothing: it is being filled already.
    Already,
    /// The same store is filled, by another mind.
    SameModel,
    /// Another store is filled.
    OtherModel,
}

impl State {
    fn serving(&self) -> &Arc<Engine> {
        match self {
            State::Serving(serving) | State::Filling { serving, .. } => serving,
        }
    }

    fn next(&self) -> Option<&Arc<Engine>> {
        match self {
            State::Serving(_) => None,
            State::Filling { next, .. } => Some(next),
        }
    }
}

impl Generations {
    /// With a `next` that is to be filled, if there is one.
    pub(crate) fn new(serving: Arc<Engine>, next: Option<Arc<Engine>>) -> Generations {
        Generations(RwLock::new(match next {
            Some(next) => State::Filling { serving, next },
            None => State::Serving(serving),
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers questions; one that is in work ends with the generation it began with.
    pub(crate) fn serving(&self) -> Arc<Engine> {
        Arc::clone(self.read().serving())
    }

    /// Is filled, and serves once it is complete, if there is another than the one that serves.
    pub(crate) fn next(&self) -> Option<Arc<Engine>> {
        self.read().next().map(Arc::clone)
    }

    /// A mind whose vectors are those that serve takes over at once, on the store that is open. Another
    /// is given back: its own store is to be opened, and adopted.
    pub(crate) fn renew(&self, loaded: Loaded) -> Result<Arc<Engine>, Box<Loaded>> {
        let mut state = self.write();
        let (State::Serving(serving) | State::Filling { serving, .. }) = &mut *state;
        if serving.card.vectors != loaded.card.vectors {
            return Err(Box::new(loaded));
        }
        let (store, catalogue) = (Arc::clone(&serving.store), Arc::clone(&serving.catalogue));
        *serving = Arc::new(Engine::with(loaded, store, catalogue));
        Ok(Arc::clone(serving))
    }

    /// The indexer, and nobody else, goes on with `engine`: the next if its model is not the one
    /// that serves. What was being filled until now is given up.
    pub(crate) fn adopt(&self, engine: Arc<Engine>) -> Adopted {
        let mut state = self.write();
        let is_of = |other: &Arc<Engine>| other.card.vectors == engine.card.vectors;
        let same = is_of(state.next().unwrap_or_else(|| state.serving()));
        let serving = Arc::clone(state.serving());
        // With vectors that are open already, the engine at hand stays: a second handle on its
        // table would not know what was committed through the first.
        *state = match &*state {
            State::Filling { .. } if same => return Adopted::Already,
            _ if is_of(&serving) => State::Serving(serving),
            _ => State::Filling { serving, next: engine },
        };
        if same { Adopted::SameModel } else { Adopted::OtherModel }
    }

    /// What was being filled is complete, and serves from now on; the generation that did before,
    /// unless none was being filled for it.
    pub(crate) fn take_over(&self) -> Option<Arc<Engine>> {
        let mut state = self.write();
        let State::Filling { serving, next } = &*state else { return None };
        let (before, serving) = (Arc::clone(serving), Arc::clone(next));
        *state = State::Serving(serving);
        Some(before)
    }

    /// Ends the threads of the minds, each after the job it has in work.
    pub(crate) fn close(&self) {
        let state = self.read();
        state.serving().mind.close();
        if let Some(next) = state.next() {
            next.mind.close();
        }
    }
}
