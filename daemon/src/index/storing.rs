//! What becomes of documents that cannot be stored, as on a full disk: they wait, embedded as they are, and
//! are tried again; meanwhile no more is embedded than one commit takes.

use daemon_protocol::Phase;
use tokio::time::Instant;

use super::Indexer;
use crate::limits::STORE_RETRY;
use crate::store::{Document, Known, StoreError};

/// Whether the store can be written. Pure: it is told what time it is.
#[derive(Debug, Default)]
pub(super) struct Storing {
    /// Why it could not be when that was last tried.
    reason: Option<String>,
    /// When it is tried again; not before.
    retry_at: Option<Instant>,
}

impl Storing {
    /// Something was stored, or there was nothing to store.
    pub(super) fn works(&mut self) {
        *self = Storing::default();
    }

    pub(super) fn fails(&mut self, error: &StoreError, now: Instant) {
        *self = Storing { reason: Some(error.0.clone()), retry_at: Some(now + STORE_RETRY) };
    }

    /// It is tried now; until it works there is still a reason to tell.
    pub(super) fn retry(&mut self) {
        self.retry_at = None;
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.reason.clone()
    }
}

impl Indexer {
    /// Whether nothing is to be stored for now.
    pub(super) fn is_paused(&self) -> bool {
        self.storing.retry_at().is_some()
    }

    /// Whether one more document to store would be one too many.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_paused() && self.group.is_full()
    }

    /// Stores `documents`, in one commit.
    pub(super) async fn store(&mut self, documents: Vec<Document>) -> Result<(), StoreError> {
        let entries: Vec<(String, Known)> = documents
            .iter()
            .map(|document| {
                let (stamp, tags) = (document.stamp.clone(), document.tags.clone());
                let passages = document.passages.len();
                (document.path.clone(), Known { stamp, tags, passages })
            })
            .collect();
        let engine = self.engine();
        engine.store.replace(documents).await?;
        for (path, _) in &entries {
            self.refused.remove(path);
        }
        engine.catalogue.write().extend(entries);
        self.upkeep.want();
        self.storing.works();
        Ok(())
    }

    /// Stores `documents`, which the store refused together with `error`, one by one: it may be that one of
    /// them is why. After two that are refused and none that is not, the store is, and all of them wait.
    pub(super) async fn store_singly(&mut self, documents: Vec<Document>, error: StoreError) {
        let (mut failed, mut stored, mut last) = (Vec::new(), false, error);
        for document in documents {
            let is_hopeless = !stored && failed.len() > 1;
            if is_hopeless {
                failed.push(document);
                continue;
            }
            match self.store(vec![document.clone()]).await {
                Ok(()) => stored = true,
                Err(error) => {
                    failed.push(document);
                    last = error;
                }
            }
        }
        let reason = last.to_string();
        let is_to_blame = |document: &Document| {
            // One that was to blame before says nothing of the store when it comes alone.
            let refused = self.refused.get(&document.path);
            stored || refused.is_some_and(|refusal| refusal.reason == reason)
        };
        let (blamed, waiting): (Vec<_>, Vec<_>) = failed.into_iter().partition(is_to_blame);
        for document in blamed {
            self.refuse(document.path, None, reason.clone());
        }
        if !waiting.is_empty() {
            self.unstorable(&last);
            self.group.add(waiting, std::time::Instant::now());
        }
    }

    /// The store cannot be written: that is told, and tried again.
    pub(super) fn unstorable(&mut self, error: &StoreError) {
        tracing::error!(%error, "the index cannot be written; it is tried again");
        self.storing.fails(error, Instant::now());
    }

    /// Ends a round that cannot go on. Who waits for it finds the reason in the status.
    pub(super) fn give_up(&mut self) {
        self.shared.converter.rest();
        self.publish(Phase::Idle);
        self.tell_waiters();
    }

    pub(super) fn tell_waiters(&mut self) {
        for waiter in self.waiters.drain(..) {
            if waiter.send(()).is_err() {
                tracing::trace!("who waited for this round has left");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_stored_is_tried_again_after_a_while_and_told_until_it_is() {
        let now = Instant::now();
        let full = StoreError("No space left on device".to_owned());
        let mut storing = Storing::default();
        let told = |storing: &Storing| (storing.reason().is_some(), storing.retry_at());
        assert_eq!(told(&storing), (false, None));
        storing.fails(&full, now);
        assert_eq!(told(&storing), (true, Some(now + STORE_RETRY)));
        storing.retry();
        assert_eq!(told(&storing), (true, None), "it is not known yet whether it works");
        storing.fails(&full, now + STORE_RETRY);
        assert_eq!(told(&storing), (true, Some(now + 2 * STORE_RETRY)));
        storing.works();
        assert_eq!(told(&storing), (false, None));
    }
}
