//! One store's share of indexing: what of it is to be read, embedded and committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use daemon_protocol::{IndexStatus, Phase, Problem};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::group::Group;
use super::moves::Moves;
use super::progress::Progress;
use super::queue::Queue;
use super::refusal::{Again, Refusal};
use super::storing::Storing;
use super::upkeep::Upkeep;
use super::work::{Batch, Finished, Work};
use crate::engine::{Catalogue, Engine};
use crate::limits::SAVED_FEW;
use crate::mind::JobError;
use crate::shared::Shared;
use crate::store::Stamp;

/// See the module.
pub(super) struct Side {
    pub(super) shared: Arc<Shared>,
    pub(super) stop: CancellationToken,
    /// The generation that is filled; `None` for the one that serves, whose mind may be another at each
    /// step.
    filled: Option<Arc<Engine>>,
    pub(super) queue: Queue,
    /// Being embedded, the topmost first: files saved during a work come on top of it.
    pub(super) works: Vec<Work>,
    pub(super) group: Group,
    pub(super) storing: Storing,
    pub(super) moves: Moves,
    pub(super) refused: BTreeMap<String, Refusal>,
    pub(super) progress: Progress,
    pub(super) upkeep: Upkeep,
    /// The upkeep under way: it may take minutes, for which nothing waits.
    maintaining: Option<JoinHandle<()>>,
    /// Saved files that were read, with the number of passages that are embedded for each.
    pub(super) read: Vec<(String, usize)>,
}

impl Side {
    pub(super) fn new(
        shared: Arc<Shared>,
        stop: CancellationToken,
        filled: Option<Arc<Engine>>,
    ) -> Side {
        Side {
            shared,
            stop,
            filled,
            queue: Queue::default(),
            works: Vec::new(),
            group: Group::default(),
            storing: Storing::default(),
            moves: Moves::default(),
            refused: BTreeMap::new(),
            progress: Progress::default(),
            upkeep: Upkeep::default(),
            maintaining: None,
            read: Vec::new(),
        }
    }

    /// The same, now that its generation answers.
    pub(super) fn now_serving(self) -> Side {
        Side { filled: None, ..self }
    }

    /// For one step: the next may have another mind.
    pub(super) fn engine(&self) -> Arc<Engine> {
        let serving = || self.shared.generations.serving();
        self.filled.as_ref().map_or_else(serving, Arc::clone)
    }

    pub(super) fn model(&self) -> String {
        self.engine().card.name.clone()
    }

    /// Whether there is something to read or to embed.
    pub(super) fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !self.works.is_empty()
    }

    /// Whether something can be done now.
    pub(super) fn can_go_on(&self) -> bool {
        self.is_busy() && !self.is_stuck()
    }

    /// Whether what comes next are a few files that someone has just saved.
    pub(super) fn is_saved_by_hand(&self) -> bool {
        let in_work = self.works.last().map(|work| work.urgency);
        let Some(next) = self.queue.urgency().max(in_work).filter(|next| next.is_saved()) else {
            return false;
        };
        let works = self.works.iter().filter(|work| work.urgency.is_of_save(next));
        let reading: usize = works.map(|work| work.tally().files).sum();
        self.queue.of_save(next) + reading <= SAVED_FEW
    }

    /// What was read since this was last asked.
    pub(super) fn take_read(&mut self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.read)
    }

    pub(super) fn status(&self, phase: Phase) -> IndexStatus {
        let left = self.works.iter().map(Work::tally).chain([self.queue.tally()]).sum();
        self.progress.status(phase, left, &self.engine().catalogue, &self.refused)
    }

    /// A document of `serving` that this lacks for a reason that may pass, such as a drive that is not
    /// mounted or a disk that is full.
    pub(super) fn lacks(&self, serving: &Catalogue) -> Option<Problem> {
        let engine = self.engine();
        let known = engine.catalogue.read();
        let explained = |path: &String| {
            self.refused.get(path).is_some_and(|refusal| refusal.again != Again::Passed)
        };
        let serving = serving.read();
        let path = serving.keys().find(|path| !known.contains_key(*path) && !explained(path))?;
        let reason = self.refused.get(path).map(|refusal| refusal.reason.clone());
        let reason = reason.or_else(|| self.storing.reason());
        let reason = reason.unwrap_or_else(|| "it cannot be looked at".to_owned());
        Some(Problem { path: path.clone(), reason })
    }

    /// Embeds the next batch, after reading files if there is none or some were saved since.
    pub(super) async fn step(&mut self) {
        if let Some(first) = self.queue.urgency()
            && self.works.last().is_none_or(|work| work.urgency < first)
        {
            self.put_back();
            self.gather(first).await;
        }
        let batch = self.works.last_mut().and_then(Work::next_batch);
        match batch {
            Some(batch) => self.encode(batch).await,
            None => self.finish_work().await,
        }
    }

    /// Embeds one batch, unless told to stop.
    async fn encode(&mut self, batch: Batch) {
        let engine = self.engine();
        let Some(work) = self.works.last_mut() else { return };
        let texts = work.texts(&batch);
        let result = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            result = engine.mind.embed_passages(texts) => result,
        };
        match result {
            Ok(vectors) => work.embedded(&batch, vectors, engine.card.width),
            // The model's thread has ended, and the service is about to: that is no fault of the
            // files, which stay indexed as they are.
            Err(JobError::Gone) => self.stop.cancelled().await,
            Err(error) => work.failed(&batch, &error),
        }
    }

    /// Moves what the topmost work embedded into the group, and commits if it is time.
    async fn finish_work(&mut self) {
        let Some(work) = self.works.pop() else { return };
        let urgency = work.urgency;
        self.progress.done(work.tally());
        let Finished { documents, failures } = work.finish();
        for failure in failures {
            self.remove_known(&failure.path).await;
            if let Some(from) = failure.moved_from {
                self.remove_known(&from).await;
            }
            self.refuse(failure.path, failure.again, failure.reason);
        }
        let now = Instant::now();
        if urgency.is_saved() {
            // Not with what others have embedded by now, which would keep it waiting.
            self.commit_only(documents).await;
        } else {
            self.group.add(documents, now);
        }
        let is_due = self.queue.is_empty() || self.group.is_due(now);
        if is_due {
            self.commit().await;
        }
        if is_due || urgency.is_saved() {
            // In a long round too: what no index covers is read by every question.
            self.maintain_if_due();
        }
    }

    /// The content is indexed under another time: the next scan need not read it again, nor the one after a restart.
    pub(super) fn restamp(&mut self, path: &str, stamp: Stamp) {
        self.refused.remove(path);
        self.shared.touched.note(path, &stamp);
        if let Some(known) = self.engine().catalogue.write().get_mut(path) {
            known.stamp = stamp;
        }
    }

    pub(super) async fn remove(&mut self, paths: Vec<String>) {
        if paths.is_empty() {
            return;
        }
        let engine = self.engine();
        match engine.store.remove(paths.clone()).await {
            Ok(()) => {
                let mut known = engine.catalogue.write();
                for path in &paths {
                    known.remove(path);
                }
                self.upkeep.want(0);
                self.storing.works();
            }
            // They stay known, so the next scan tries again.
            Err(error) => self.unstorable(&error),
        }
    }

    pub(super) async fn remove_known(&mut self, path: &str) {
        self.refused.remove(path);
        let known = self.engine().catalogue.read().contains_key(path);
        if known {
            self.remove(vec![path.to_owned()]).await;
        }
    }

    pub(super) fn refuse(&mut self, path: String, again: impl Into<Again>, reason: String) {
        tracing::info!(path, reason, "not indexed");
        self.progress.problem(&path);
        self.refused.insert(path, Refusal { again: again.into(), reason });
    }

    /// Nothing is left to do: what is embedded is committed, and what was not found where it seemed to
    /// have moved to is gone.
    pub(super) async fn end_round(&mut self) {
        self.commit().await;
        if self.is_paused() {
            return;
        }
        let gone = self.moves.drain();
        self.remove(gone).await;
        // If there was nothing to store, it is not known to fail.
        if !self.is_paused() {
            self.storing.works();
        }
    }

    /// Stops embedding what was read of `path`, and does not store it.
    pub(super) fn abandon(&mut self, path: &str) {
        let from = self.works.iter_mut().map(|work| work.abandon(path));
        for from in from.chain([self.group.abandon(path)]).flatten().collect::<Vec<_>>() {
            self.moves.put(path.to_owned(), from);
        }
    }

    /// When the store is to be maintained next.
    pub(super) fn maintain_at(&self) -> Option<tokio::time::Instant> {
        self.upkeep.due(tokio::time::Instant::now()).filter(|_| !self.is_maintaining())
    }

    fn is_maintaining(&self) -> bool {
        self.maintaining.as_ref().is_some_and(|upkeep| !upkeep.is_finished())
    }

    pub(super) fn maintain_if_due(&mut self) {
        let now = tokio::time::Instant::now();
        if self.maintaining.take_if(|upkeep| upkeep.is_finished()).is_some() {
            self.upkeep.end(now);
        }
        if self.maintain_at().is_none_or(|due| now < due) {
            return;
        }
        let (engine, shared) = (self.engine(), Arc::clone(&self.shared));
        self.maintaining = Some(tokio::spawn(async move {
            if let Err(error) = engine.store.maintain().await {
                tracing::warn!(%error, "maintaining the store");
            }
            // What was committed meanwhile is due by now, perhaps.
            shared.mailbox.wake();
        }));
        self.upkeep.begin(now);
    }

    /// Stores what is embedded, and ends the upkeep: a store is whole at every moment, and the next start
    /// maintains it.
    pub(super) async fn end(mut self) {
        self.commit().await;
        if let Some(upkeep) = self.maintaining {
            upkeep.abort();
            if let Err(error) = upkeep.await
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
