//! The indexer: makes the store equal to what is on disk.
//!
//! A loop over one inbox and one queue of suspected files. Between any two batches it looks at the
//! inbox, and what was saved last is embedded first: a saved file waits for one batch, not for a
//! long round, a huge file, or thousands of files that were saved before it. A removed folder ends
//! its round at once. Deletes and renames are no events of their own: what is known and not on
//! disk goes. Only this task writes a store.

mod group;
mod plan;
mod progress;
mod queue;
mod resting;
mod upkeep;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use daemon_protocol::Phase;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::limits::{GATHER_DOCUMENTS_MAX, GATHER_PASSAGES, GATHER_TIME_MAX, WORKS_MAX};
use crate::mailbox::Cause;
use crate::mind::JobError;
use crate::prepare::{Outcome, Tools, prepare};
use crate::scan::Seen;
use crate::shared::Shared;
use crate::store::{Known, Stamp};
use group::Group;
use progress::{Progress, Tally};
use queue::{Queue, Suspect, Urgency};
use resting::Resting;
use upkeep::Upkeep;
use work::{Batch, Finished, Work};

/// A file that is not indexed, and why.
#[derive(Debug)]
struct Refusal {
    /// Set if its content is why: it is not tried again until this changes.
    seen: Option<Seen>,
    reason: String,
}

/// See the module.
pub(crate) struct Indexer {
    shared: Arc<Shared>,
    stop: CancellationToken,
    queue: Queue,
    /// Being embedded, the topmost first: files saved during a work come on top of it.
    works: Vec<Work>,
    resting: Resting,
    group: Group,
    refused: BTreeMap<String, Refusal>,
    progress: Progress,
    waiters: Vec<oneshot::Sender<()>>,
    upkeep: Upkeep,
}

impl Indexer {
    pub(crate) fn new(shared: Arc<Shared>, stop: CancellationToken) -> Indexer {
        Indexer {
            shared,
            stop,
            queue: Queue::default(),
            works: Vec::new(),
            resting: Resting::default(),
            group: Group::default(),
            refused: BTreeMap::new(),
            progress: Progress::default(),
            waiters: Vec::new(),
            upkeep: Upkeep::default(),
        }
    }

    /// Runs until stopped; what is embedded by then is committed. The first order comes from the
    /// watcher, which watches what the scan enters and then has it looked at once more.
    pub(crate) async fn run(mut self) {
        let mut rescan_at = tokio::time::Instant::now() + self.shared.settings.rescan_every;
        while !self.stop.is_cancelled() {
            let woken = self.resting.woken(tokio::time::Instant::now());
            if !woken.is_empty() {
                self.shared.mailbox.changed(woken);
            }
            if let Some(orders) = self.shared.mailbox.take() {
                if orders.rescan.is_some() {
                    rescan_at = tokio::time::Instant::now() + self.shared.settings.rescan_every;
                }
                self.plan(orders).await;
            } else if !self.queue.is_empty() || !self.works.is_empty() {
                self.step().await;
            } else {
                self.rest().await;
                let woken_at = self.resting.next();
                let maintain_at = self.upkeep.due(tokio::time::Instant::now());
                tokio::select! {
                    () = self.stop.cancelled() => {}
                    () = self.shared.mailbox.arrived() => {}
                    () = tokio::time::sleep_until(rescan_at) => {
                        self.shared.mailbox.rescan(Cause::Periodic);
                    }
                    // Then the next turn looks at it.
                    () = tokio::time::sleep_until(woken_at.unwrap_or(rescan_at)), if woken_at.is_some() => {}
                    // Then `rest` does it.
                    () = tokio::time::sleep_until(maintain_at.unwrap_or(rescan_at)), if maintain_at.is_some() => {}
                }
            }
        }
        self.commit().await;
    }

    /// What is filled, for one step: the next may have another mind.
    fn engine(&self) -> Arc<Engine> {
        self.shared.generations.filling()
    }

    /// Embeds the next batch, after reading files if there is none or some were saved since.
    async fn step(&mut self) {
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
        self.publish(Phase::Encoding);
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
        for (path, reason) in failures {
            self.remove_known(&path).await;
            self.refuse(path, None, reason);
        }
        let now = Instant::now();
        self.group.add(documents, now);
        if urgency.is_saved() || self.queue.is_empty() || self.group.is_due(now) {
            self.commit().await;
            // In a long round too: what no index covers is read by every question.
            self.maintain_if_due().await;
        }
    }

    /// Makes room for one more work: at the limit the topmost, begun last, is to be read again.
    fn put_back(&mut self) {
        // Works whose files were all saved again hold nothing but a place.
        self.works.retain(|work| work.paths().next().is_some());
        while self.works.len() >= WORKS_MAX {
            let Some(work) = self.works.pop() else { return };
            self.queue.put(work.urgency, work.into_suspects());
        }
    }

    /// Reads files of one urgency until there is enough to embed at a time.
    async fn gather(&mut self, urgency: Urgency) {
        let mut gathered = Vec::new();
        let mut passages = 0;
        let started = Instant::now();
        // Files that are unchanged or refused count for nothing but the time they take.
        while gathered.len() < GATHER_DOCUMENTS_MAX
            && passages < GATHER_PASSAGES
            && started.elapsed() < GATHER_TIME_MAX
        {
            let Some(Suspect { path, bytes }) = self.queue.take(urgency) else { break };
            let engine = self.engine();
            let indexed = engine.catalogue.read().get(&path).map(|known| known.stamp.hash.clone());
            let tokens_max = engine.card.passage_tokens_max;
            let (counter, convert) =
                (Arc::clone(&engine.counter), Arc::clone(&self.shared.converter));
            let (roots, file) = (self.shared.folders.roots(), path.clone());
            let read = move || {
                let (counter, convert) = (counter.as_ref(), convert.as_ref());
                let tools = Tools { tokens_max, counter, convert, roots: &roots };
                prepare(&file, indexed.as_deref(), tools)
            };
            let outcome = tokio::select! {
                biased;
                // Converting a file may take longer than ending may; nothing is lost but its reading.
                () = self.stop.cancelled() => break,
                outcome = blocking(read) => outcome,
            };
            if let Outcome::Ready(prepared) = &outcome
                && urgency.is_saved()
            {
                let now = tokio::time::Instant::now();
                self.resting.begin(path.clone().into(), prepared.passages.len(), now);
            }
            match outcome {
                // A large one must not hold up the small ones it was saved with: it goes below.
                Outcome::Ready(prepared) if prepared.passages.len() > GATHER_PASSAGES => {
                    self.works.push(Work::new(vec![(prepared, bytes)], urgency.long()));
                    break;
                }
                Outcome::Ready(prepared) => {
                    passages += prepared.passages.len();
                    gathered.push((prepared, bytes));
                    continue;
                }
                Outcome::Unchanged(stamp) => self.restamp(&path, stamp),
                // Of a disk that was just unmounted everything is gone: a look at the folder decides.
                Outcome::Gone => self.shared.mailbox.changed(BTreeSet::from([path.into()])),
                Outcome::Refused { seen, reason } => {
                    self.remove_known(&path).await;
                    self.refuse(path, seen, reason);
                }
            }
            self.progress.done(Tally::of(bytes));
        }
        if !gathered.is_empty() {
            self.works.push(Work::new(gathered, urgency));
        }
    }

    /// The content is indexed under another time: the next scan need not read it again. The
    /// store keeps the old time, which costs one reading after a restart and no embedding.
    fn restamp(&mut self, path: &str, stamp: Stamp) {
        self.refused.remove(path);
        if let Some(known) = self.engine().catalogue.write().get_mut(path) {
            known.stamp = stamp;
        }
    }

    async fn remove(&mut self, paths: Vec<String>) {
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
                self.upkeep.want();
            }
            // They stay known, so the next scan tries again.
            Err(error) => tracing::error!(%error, "removing {} documents", paths.len()),
        }
    }

    async fn remove_known(&mut self, path: &str) {
        self.refused.remove(path);
        let known = self.engine().catalogue.read().contains_key(path);
        if known {
            self.remove(vec![path.to_owned()]).await;
        }
    }

    fn refuse(&mut self, path: String, seen: Option<Seen>, reason: String) {
        tracing::info!(path, reason, "not indexed");
        self.progress.problem(&path);
        self.refused.insert(path, Refusal { seen, reason });
    }

    /// Stores what is embedded, in one commit.
    async fn commit(&mut self) {
        let documents = self.group.take();
        if documents.is_empty() {
            return;
        }
        let entries: Vec<(String, Known)> = documents
            .iter()
            .map(|document| {
                let (stamp, tags) = (document.stamp.clone(), document.tags.clone());
                let passages = document.passages.len();
                (document.path.clone(), Known { stamp, tags, passages })
            })
            .collect();
        let engine = self.engine();
        match engine.store.replace(documents).await {
            Ok(()) => {
                for (path, _) in &entries {
                    self.refused.remove(path);
                }
                engine.catalogue.write().extend(entries);
                self.upkeep.want();
            }
            Err(error) => {
                tracing::error!(%error, "storing {} documents", entries.len());
                for (path, _) in entries {
                    self.refuse(path, None, error.to_string());
                }
            }
        }
    }

    /// Ends a round: everything found is committed, so those who wait for that are told.
    async fn rest(&mut self) {
        self.commit().await;
        self.shared.converter.rest();
        let before = self.shared.generations.take_over();
        if let Some(before) = before.map(|engine| engine.card.vectors.clone()) {
            let card = self.engine().card.clone();
            tracing::info!(model = card.name, "the new model serves");
            // A rollback goes to the one before, at once; older ones would only take up the disk.
            let keep = vec![card.vectors, before];
            if let Err(error) = self.shared.backend.keep_stores(keep).await {
                tracing::warn!(%error, "passages of models that are no longer used stay on disk");
            }
        }
        self.progress.rest();
        self.publish(Phase::Idle);
        for waiter in self.waiters.drain(..) {
            if waiter.send(()).is_err() {
                tracing::trace!("who waited for this round has left");
            }
        }
        self.maintain_if_due().await;
    }

    async fn maintain_if_due(&mut self) {
        let now = tokio::time::Instant::now();
        if self.upkeep.due(now).is_none_or(|due| now < due) {
            return;
        }
        let engine = self.engine();
        tokio::select! {
            biased;
            // Compacting a large store may take longer than ending may; a store is whole at every
            // moment, and the next start compacts it.
            () = self.stop.cancelled() => {}
            done = engine.store.maintain() => {
                if let Err(error) = done {
                    tracing::warn!(%error, "maintaining the store");
                }
            }
        }
        self.upkeep.done(tokio::time::Instant::now());
    }

    fn publish(&self, phase: Phase) {
        // What can be searched: a model that is being filled does not serve yet.
        let serving = self.shared.generations.serving();
        let left = self.works.iter().map(Work::tally).chain([self.queue.tally()]).sum();
        let status = self.progress.status(phase, left, &serving.catalogue, &self.refused);
        self.shared.status.send_if_modified(|held| {
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
