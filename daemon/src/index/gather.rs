//! Suspected files -> what of them is to be embedded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::progress::Tally;
use super::queue::{Suspect, Urgency};
use super::side::Side;
use super::work::{Gathered, Work};
use crate::engine::Engine;
use crate::limits::{GATHER_DOCUMENTS_MAX, GATHER_PASSAGES, GATHER_TIME_MAX, WORKS_MAX};
use crate::prepare::{Outcome, Prepared};

impl Side {
    /// Makes room for one more work: at the limit the topmost, begun last, is to be read again.
    pub(super) fn put_back(&mut self) {
        // Works whose files were all saved again hold nothing but a place.
        self.works.retain(|work| work.paths().next().is_some());
        while self.works.len() >= WORKS_MAX {
            let Some(work) = self.works.pop() else { return };
            let urgency = work.urgency;
            let (suspects, moved): (Vec<_>, Vec<_>) = work.into_suspects().unzip();
            for (suspect, from) in suspects.iter().zip(moved) {
                if let Some(from) = from {
                    self.moves.put(suspect.path.clone(), from);
                }
            }
            self.queue.put(urgency, suspects);
        }
    }

    /// Reads files of one urgency until there is enough to embed at a time.
    pub(super) async fn gather(&mut self, urgency: Urgency) {
        let mut gathered = Vec::new();
        let mut passages = 0;
        let started = Instant::now();
        // Files that are unchanged or refused count for nothing but the time they take.
        while gathered.len() < GATHER_DOCUMENTS_MAX
            && passages < GATHER_PASSAGES
            && started.elapsed() < GATHER_TIME_MAX
        {
            let Some(Suspect { path, bytes }) = self.queue.take(urgency) else { break };
            let outcome = tokio::select! {
                biased;
                // Converting a file may take longer than ending may; nothing is lost but its reading.
                () = self.stop.cancelled() => break,
                outcome = self.outcome(&path, urgency.is_saved()) => outcome,
            };
            let Some(outcome) = outcome else {
                self.progress.done(Tally::of(bytes));
                continue;
            };
            let outcome = match outcome {
                Outcome::Ready(prepared) => {
                    let document = self.recall(prepared, bytes).await;
                    let missing = document.missing();
                    if urgency.is_saved() {
                        self.read.push((path, missing));
                    }
                    // A large one must not hold up the small ones it was saved with: it goes below.
                    if missing > GATHER_PASSAGES {
                        self.works.push(Work::new(vec![document], urgency.long()));
                        break;
                    }
                    passages += missing;
                    gathered.push(document);
                    continue;
                }
                other => other,
            };
            self.settle(path, outcome).await;
            self.progress.done(Tally::of(bytes));
        }
        if !gathered.is_empty() {
            self.works.push(Work::new(gathered, urgency));
        }
    }

    /// Gives a document the vectors that the store has for the very texts that are to be embedded, from
    /// before it was changed or moved.
    async fn recall(&mut self, prepared: Prepared, bytes: u64) -> Gathered {
        let engine = self.engine();
        let moved_from = self.moves.take(&prepared.path);
        let moved_from = match moved_from {
            Some(from) if is_of(&engine, &from, &prepared.stamp.hash) => Some(from),
            Some(other) => {
                self.remove_known(&other).await;
                None
            }
            None => None,
        };
        let has_passages = |path: &String| {
            engine.catalogue.read().get(path).is_some_and(|known| known.passages > 0)
        };
        let from: Vec<String> = [Some(prepared.path.clone()), moved_from.clone()]
            .into_iter()
            .flatten()
            .filter(has_passages)
            .collect();
        let held =
            if from.is_empty() { Ok(BTreeMap::new()) } else { engine.store.vectors(from).await };
        let held = held.unwrap_or_else(|error| {
            tracing::warn!(%error, "what was embedded before is embedded again");
            BTreeMap::new()
        });
        Gathered::new(prepared, bytes, moved_from, &held)
    }

    /// Deals with a file that gives nothing to embed.
    async fn settle(&mut self, path: String, outcome: Outcome) {
        if let Some(other) = self.moves.take(&path) {
            self.remove_known(&other).await;
        }
        match outcome {
            Outcome::Ready(_) => {}
            Outcome::Unchanged(stamp) => self.restamp(&path, stamp),
            // Of a disk that was just unmounted everything is gone: a look at the folder decides.
            Outcome::Gone => self.shared.mailbox.changed(BTreeSet::from([path.into()])),
            Outcome::Refused { seen, reason } => {
                self.remove_known(&path).await;
                self.refuse(path, seen, reason);
            }
            Outcome::Unread { reason } => {
                self.refuse(path, None, format!("{reason}; what is indexed of it is kept"));
            }
        }
    }
}

/// Whether `path` is indexed with the content that has this hash.
fn is_of(engine: &Engine, path: &str, hash: &str) -> bool {
    engine.catalogue.read().get(path).is_some_and(|known| known.stamp.hash == hash)
}
