//! Whether the indexer goes on now, or waits for whoever needs the machine; see [`crate::manners`].

use std::sync::Arc;

use tokio::time::Instant;

use super::{Indexer, blocking};
use crate::limits::{LOOK_EVERY, PAUSE_TOLD_EVERY};
use crate::manners::{Left, Machine, Seen, Why, Work};

/// See the module.
pub(super) struct Pacing {
    machine: Arc<dyn Machine>,
    seen: Seen,
    looked: Option<Instant>,
    /// When the rest after what was done last ends.
    rests_until: Option<Instant>,
    /// Why nothing is done.
    pub(super) waiting: Option<Why>,
}

/// When what is told of a pause is another.
pub(super) fn told_at(left: Left) -> Option<Instant> {
    match left {
        Left::UntilResumed => None,
        Left::For(left) => Some(Instant::now() + left.min(PAUSE_TOLD_EVERY)),
    }
}

/// What the indexer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Go,
    /// Nothing until then, unless something arrives.
    RestUntil(Instant),
    /// Nothing for now.
    Wait,
}

impl Pacing {
    pub(super) fn new(machine: Arc<dyn Machine>) -> Pacing {
        Pacing { machine, seen: Seen::default(), looked: None, rests_until: None, waiting: None }
    }

    /// When is to be looked again; none while it is waited for someone to resume.
    pub(super) fn look_at(&self) -> Option<Instant> {
        match self.waiting? {
            Why::Paused(left) => told_at(left),
            Why::Battery(_) | Why::Others(_) => self.looked.map(|looked| looked + LOOK_EVERY),
        }
    }

    async fn look(&mut self) {
        let now = Instant::now();
        if self.looked.is_some_and(|looked| now < looked + LOOK_EVERY) {
            return;
        }
        let machine = Arc::clone(&self.machine);
        self.seen = blocking(move || machine.look()).await;
        self.looked = Some(now);
    }
}

impl Indexer {
    /// Whether to go on with what is to be done next.
    pub(super) async fn turn(&mut self) -> Turn {
        let pause = self.shared.paused.left();
        if pause.is_none() {
            self.pacing.look().await;
        }
        let work = match self.sides().find(|side| side.can_go_on()) {
            Some(side) if side.is_saved_by_hand() => Work::Saved,
            _ if !self.waiters.is_empty() => Work::Awaited,
            _ => Work::Background,
        };
        let manners = self.shared.settings.manners;
        self.pacing.waiting = manners.wait(work, self.pacing.seen, pause);
        let now = Instant::now();
        match self.pacing.rests_until.filter(|until| *until > now) {
            _ if self.pacing.waiting.is_some_and(Why::stops) => Turn::Wait,
            Some(until) if work != Work::Saved => Turn::RestUntil(until),
            _ => Turn::Go,
        }
    }

    /// What was `begun` has ended.
    pub(super) fn has_worked(&mut self, begun: Instant) {
        let now = Instant::now();
        let rest = self.shared.settings.manners.rest(now - begun, self.pacing.waiting);
        self.pacing.rests_until = (!rest.is_zero()).then(|| now + rest);
    }
}
