//! The indexer: makes the store equal to what is on disk; while another model's store is filled, both.
//!
//! A loop over one inbox and a [`Side`] for each store. Between any two batches it looks at the
//! inbox, and what was saved last is embedded first: a saved file waits for one batch, not for a
//! long round, a huge file, or thousands of files that were saved before it. The store that serves
//! comes before the one that is filled, so that answers are never older for it. A removed folder ends
//! its round at once. Whether it goes on with what is to be done, or waits for whoever else needs the machine,
//! `pacing` says before each batch. While another machine writes an index that is shared, all of that waits (`following`). Deletes and renames are no events of their own: what is known and not on
//! disk goes. Only this task writes a store.

mod commit;
mod disk;
mod following;
mod gather;
mod group;
mod moves;
mod pacing;
mod plan;
mod progress;
mod queue;
mod refusal;
mod resting;
mod side;
mod storing;
mod upkeep;
mod work;

use std::sync::Arc;

use daemon_protocol::{NextModel, Phase};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::generations::Adopted;
use crate::limits::RETRY_AFTER;
use crate::mailbox::Cause;
use crate::manners::Why;
use crate::shared::Shared;
use crate::sharing::Sharing;
use pacing::{Pacing, Turn, told_at};
use resting::Resting;
use side::Side;

/// See the module.
pub(crate) struct Indexer {
    shared: Arc<Shared>,
    stop: CancellationToken,
    serving: Side,
    /// Of the model that is to serve next.
    next: Option<Side>,
    resting: Resting,
    pacing: Pacing,
    waiters: Vec<oneshot::Sender<()>>,
    sharing: Sharing,
    /// Whether others may have written since the catalogues were read.
    is_behind: bool,
    /// When what others wrote is looked at next.
    follow_at: Instant,
    /// When all folders are walked although nothing was reported.
    rescan_at: Instant,
    /// When what could not be stored, or what the next model lacks, is tried again.
    retry_at: Option<Instant>,
}

impl Indexer {
    pub(crate) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Indexer {
        Indexer {
            serving: Side::new(Arc::clone(&shared), stop.clone(), None),
            next: None,
            resting: Resting::default(),
            pacing: Pacing::new(shared.backend.machine()),
            waiters: Vec::new(),
            sharing: shared.sharing.clone(),
            is_behind: false,
            follow_at: Instant::now(),
            rescan_at: Instant::now() + shared.settings.rescan_every,
            retry_at: None,
            shared,
            stop,
        }
    }

    /// Runs until stopped; what is embedded by then is committed. The first order comes from the
    /// watcher, which watches what the scan enters and then has it looked at once more.
    pub(crate) async fn run(mut self) {
        // A start that goes on serving a former model fills that of the settings.
        if let Some(next) = self.shared.generations.next() {
            self.next = Some(self.side_of(next));
        }
        while !self.stop.is_cancelled() {
            if self.is_following() {
                self.follow().await;
                continue;
            }
            let woken = self.resting.woken(Instant::now());
            if !woken.is_empty() {
                self.shared.mailbox.changed(woken);
            }
            if let Some(orders) = self.shared.mailbox.take() {
                if orders.rescan.is_some() {
                    self.rescan_at = Instant::now() + self.shared.settings.rescan_every;
                    self.retry_at = None;
                }
                self.plan(orders).await;
            } else if self.sides().any(Side::can_go_on) {
                match self.turn().await {
                    Turn::Go => self.step().await,
                    Turn::RestUntil(until) => self.wait(Some(until)).await,
                    Turn::Wait => {
                        self.stand_by().await;
                        self.wait(self.pacing.look_at()).await;
                    }
                }
            } else {
                self.rest().await;
                self.wait(self.shared.paused.left().and_then(told_at)).await;
            }
        }
        self.note_touched().await;
        self.serving.end().await;
        if let Some(next) = self.next {
            next.end().await;
        }
    }

    /// Goes one batch further.
    async fn step(&mut self) {
        let begun = Instant::now();
        let Some(side) = self.sides_mut().find(|side| side.can_go_on()) else { return };
        side.step().await;
        let read = side.take_read();
        self.has_worked(begun);
        for (path, passages) in read {
            self.resting.begin(path.into(), passages, Instant::now());
        }
        self.publish(Phase::Encoding);
    }

    fn side_of(&self, next: Arc<Engine>) -> Side {
        Side::new(Arc::clone(&self.shared), self.stop.clone(), Some(next))
    }

    fn sides(&self) -> impl Iterator<Item = &Side> {
        [&self.serving].into_iter().chain(&self.next)
    }

    fn sides_mut(&mut self) -> impl Iterator<Item = &mut Side> {
        [&mut self.serving].into_iter().chain(&mut self.next)
    }

    /// Goes on with another generation; the rescan that comes with it fills the queue anew.
    fn adopt(&mut self, engine: Arc<Engine>) {
        if self.shared.generations.adopt(engine) == Adopted::OtherModel {
            self.next = self.shared.generations.next().map(|next| self.side_of(next));
        }
    }

    /// Ends a round: everything found is committed, so those who wait for that are told. They are told too if it
    /// cannot go on, since the store cannot be written, and find the reason in the status.
    async fn rest(&mut self) {
        for side in self.sides_mut() {
            side.end_round().await;
        }
        self.shared.converter.rest();
        self.take_over().await;
        for side in self.sides_mut().filter(|side| !side.is_busy()) {
            side.progress.rest();
        }
        if self.next.is_some() || self.sides().any(Side::is_paused) {
            self.retry_at.get_or_insert_with(|| Instant::now() + RETRY_AFTER);
        }
        self.note_touched().await;
        self.pacing.waiting = None;
        self.publish(Phase::Idle);
        self.tell_waiters();
        for side in self.sides_mut() {
            side.maintain_if_due();
        }
    }

    /// Leaves what is to be done for now: what is embedded by then is found. Who waits until all is indexed is told,
    /// and finds the reason in the status: a pause may last for days.
    async fn stand_by(&mut self) {
        for side in self.sides_mut() {
            side.commit().await;
        }
        self.shared.converter.rest();
        self.publish(Phase::Encoding);
        self.tell_waiters();
        for side in self.sides_mut() {
            side.maintain_if_due();
        }
    }

    /// Remembers beyond the end of the process which files were touched.
    async fn note_touched(&self) {
        let shared = Arc::clone(&self.shared);
        blocking(move || shared.touched.write(&shared.generations.serving().catalogue.read()))
            .await;
    }

    fn tell_waiters(&mut self) {
        for waiter in self.waiters.drain(..) {
            if waiter.send(()).is_err() {
                tracing::trace!("who waited for this round has left");
            }
        }
    }

    /// The next model serves if it has what the one that serves has, or says why not.
    async fn take_over(&mut self) {
        let serving = self.shared.generations.serving();
        let Some(next) = self.next.take_if(|next| next.lacks(&serving.catalogue).is_none()) else {
            return;
        };
        self.shared.generations.take_over();
        self.serving = next.now_serving();
        let card = self.shared.generations.serving().card.clone();
        tracing::info!(model = card.name, "the new model serves");
        // Before the others go: a start in between must not look for a table that is no more.
        self.shared.backend.note_serving(&card);
        if self.sharing.reads().is_some() {
            return;
        }
        // A rollback goes to the one before, at once; older ones would only take up the disk.
        let keep = vec![card.vectors, serving.card.vectors.clone()];
        if let Err(error) = self.shared.backend.keep_stores(keep).await {
            tracing::warn!(%error, "passages of models that are no longer used stay on disk");
        }
    }

    /// Until there is something to do, at the latest `until`.
    async fn wait(&mut self, until: Option<Instant>) {
        let (rescan_at, retry_at, woken_at) = (self.rescan_at, self.retry_at, self.resting.next());
        let maintain_at = self.sides().filter_map(Side::maintain_at).min();
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.shared.mailbox.arrived() => {}
            // Then the next turn follows.
            () = self.sharing.changed() => {}
            () = self.shared.patience.back() => self.shared.mailbox.rescan(Cause::Answered),
            () = tokio::time::sleep_until(rescan_at) => {
                self.shared.mailbox.rescan(Cause::Periodic);
            }
            () = tokio::time::sleep_until(retry_at.unwrap_or(rescan_at)), if retry_at.is_some() => {
                self.shared.mailbox.rescan(Cause::Retry);
            }
            // Then the next turn looks at it.
            () = tokio::time::sleep_until(woken_at.unwrap_or(rescan_at)), if woken_at.is_some() => {}
            // Then `turn` decides anew.
            () = tokio::time::sleep_until(until.unwrap_or(rescan_at)), if until.is_some() => {}
            // Then `rest` or `stand_by` does it.
            () = tokio::time::sleep_until(maintain_at.unwrap_or(rescan_at)), if maintain_at.is_some() => {}
        }
    }

    fn publish(&self, phase: Phase) {
        // What can be searched: a model that is being filled does not serve yet.
        let mut status = self.serving.status(phase);
        status.storing = self.sides().find_map(|side| side.storing.reason());
        if let Some(next) = &self.next {
            let filling = next.status(phase);
            status.round_total += filling.round_total;
            status.round_done += filling.round_done;
            status.eta_s = filling.eta_s.or(status.eta_s);
            let serving = self.shared.generations.serving();
            // Only what waits although nothing is left to do waits for a person.
            let idle = phase == Phase::Idle;
            let lacks = idle.then(|| next.lacks(&serving.catalogue)).flatten();
            status.next =
                Some(NextModel { model: next.model(), documents: filling.documents, lacks });
        }
        // A pause that the last turn met may be over.
        let others = self.pacing.waiting.filter(|why| !matches!(why, Why::Paused(_)));
        self.shared.status.send_if_modified(|held| {
            // Looked at here, that a pause told meanwhile is not taken back by what was known before.
            let pause = self.shared.paused.left().map(Why::Paused);
            let pacing = pause.or(others).map(|why| why.to_string());
            status.waiting = self.sharing.reads().or(pacing);
            status.eta_s = status.eta_s.filter(|_| status.waiting.is_none());
            let differs = *held != status;
            *held = status;
            differs
        });
    }
}

/// Runs `work` where it may block; a panic in it is a panic of the indexer.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
